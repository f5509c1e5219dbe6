import { parameterReader, type ItemFile, type ParameterReader } from '../../nodes/shared/action/parameters';

/** A file of an item, with its own name for its content where it has no other. */
export type GivenFile = Pick<ItemFile, 'mimeType' | 'fileName' | 'fileExtension'> & { data?: Buffer };

/**
 * The parameters of an item as n8n would give them, and what is to be looked at before anything is sent. Like n8n, it
 * throws for a name that is not among them.
 */
export function parametersOf(
	values: Record<string, unknown>,
	files: Record<string, GivenFile> = {},
): { parameters: ParameterReader; check: () => Promise<void> } {
	const checks: Array<() => Promise<void>> = [];
	const fileOf = (source: unknown): ItemFile | undefined => {
		const file = files[String(source)];
		if (!file) return undefined;
		const data = file.data ?? Buffer.from(String(source));
		return { ...file, size: async () => data.length, read: async () => data };
	};
	const valueOf = (name: string) => {
		if (!Object.hasOwn(values, name)) throw new Error(`Could not get parameter ${name}`);
		return values[name];
	};
	const parameters = parameterReader({
		get: valueOf,
		getLocator: valueOf,
		file: fileOf,
		fileProperties: () => Object.keys(files),
		beforeSending: (check) => void checks.push(check),
		toIso: (value) =>
			Number.isNaN(Date.parse(String(value))) ? undefined : new Date(String(value)).toISOString(),
	});
	const check = async () => {
		for (const one of checks) await one();
	};
	return { parameters, check };
}
