// Checks what is published: the files that npm packs, and the types for people who use the package.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import ts from 'typescript';
import { USER_AGENT } from '../nodes/shared/transport/userAgent';
import manifest from '../package.json';

const root = join(__dirname, '..');
let files: string[];

beforeAll(() => {
	// npm's own arguments must not reach the npm that is started here.
	const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
	const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
	const text = execFileSync('npm', args, {
		cwd: root,
		encoding: 'utf8',
		env,
		stdio: ['ignore', 'pipe', 'ignore'],
	});
	const [packed] = JSON.parse(text) as [{ files: Array<{ path: string }> }];
	files = packed.files.map(({ path }) => path);
});

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const scripts = () => files.filter((path) => path.endsWith('.js'));

/** The modules that a script requires, but for its own files. */
function requiredBy(path: string): string[] {
	return [...read(path).matchAll(/(?:require|import)\(["']([^."'][^"']*)["']\)/g)].map(([, name]) => name!);
}

/** `@scope/name/file` is of the package `@scope/name`. */
const packageOf = (module: string) =>
	module
		.split('/')
		.slice(0, module.startsWith('@') ? 2 : 1)
		.join('/');

it('holds only what runs, its types, README and licence', () => {
	const wanted = [
		/^(README\.md|LICENSE|package\.json|index\.js|index\.d\.ts)$/,
		/^dist\/(nodes|credentials)\/.*\.js$/,
		/^dist\/nodes\/.*\.(svg|node\.json)$/,
		/^dist\/nodes\/\w+\/__schema__\/v[\d.]+\/\w+\/\w+\.json$/,
		/^dist\/nodes\/(\w+\/items|Dynamics365Messaging\/activity\/(items|events)|shared\/json)\.d\.ts$/,
	];
	expect(files.filter((path) => !wanted.some((pattern) => pattern.test(path)))).toEqual([]);
});

it('holds what n8n looks for, and the icons of each', () => {
	const { nodes, credentials } = manifest.n8n;
	expect(
		[...nodes, ...credentials, manifest.main, manifest.types].filter((path) => !files.includes(path)),
	).toEqual([]);
	const icons = scripts().flatMap((path) =>
		[...read(path).matchAll(/'file:([^']+)'/g)].map(([, icon]) => join(path, '..', icon!)),
	);
	expect(icons.length).toBeGreaterThan(0);
	expect(icons.filter((icon) => !files.includes(icon))).toEqual([]);
});

it.each([
	['a source map', /sourceMappingURL/],
	[
		'a path of the machine that built it',
		new RegExp(`${root.replace(/[^\w/]/g, '\\$&')}|file://|\\B/home/|\\B/Users/`),
	],
	['a test', /\b(describe|expect)\(/],
])('holds no trace of %s', (_, trace) => {
	expect(files.filter((path) => trace.test(read(path)))).toEqual([]);
});

it('calls itself by its name and version', () => {
	expect(USER_AGENT).toBe(`${manifest.name}/${manifest.version}`);
});

it('requires nothing that it does not bring', () => {
	const brought = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)];
	const required = new Set(
		scripts()
			.flatMap(requiredBy)
			.filter((module) => !isBuiltin(module))
			.map(packageOf),
	);
	expect([...required].filter((name) => !brought.includes(name))).toEqual([]);
	// All of its dependencies must be used.
	expect(brought.filter((name) => !required.has(name))).toEqual([]);
});

/** Compiles a file that imports the package by its name. @returns the compiler's messages */
function diagnosticsOf(text: string): string[] {
	const file = join(root, 'code-node.ts');
	const options: ts.CompilerOptions = {
		strict: true,
		noEmit: true,
		skipLibCheck: false,
		target: ts.ScriptTarget.ES2022,
		module: ts.ModuleKind.Node16,
		moduleResolution: ts.ModuleResolutionKind.Node16,
		types: [],
		paths: { [manifest.name]: [join(root, manifest.types)] },
	};
	const host = ts.createCompilerHost(options);
	const getSourceFile = host.getSourceFile.bind(host);
	host.fileExists = (name) => name === file || existsSync(name);
	host.getSourceFile = (name, ...rest) =>
		name === file ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2022) : getSourceFile(name, ...rest);
	const program = ts.createProgram([file], options, host);
	return ts
		.getPreEmitDiagnostics(program)
		.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

describe('the types of the items', () => {
	const using = (code: string) =>
		diagnosticsOf(`
			import type { AzureCommunicationConversations, Dynamics365Messaging, TriggerItem } from '${manifest.name}';
			export function read(
				item: TriggerItem,
				sent: Dynamics365Messaging.ConversationSendOrStartItem,
				made: AzureCommunicationConversations.ConversationCreateItem,
			): unknown { ${code} }
		`);

	it.each([
		["return item.eventType === 'message' ? item.plainText?.trim() : item.conversationId;", []],
		["return item.eventType === 'customEvent' && item.customEventValue;", []],
		['return sent.delivered === "startMessage" ? sent.messageId : made.participants.length;', []],
		['return item.plainText;', [expect.stringContaining("Property 'plainText' does not exist on type")]],
		['return sent.isOld;', [expect.stringContaining("Property 'isOld' does not exist on type")]],
	])('%s', (code, found) => {
		expect(using(code)).toEqual(found);
	});
});
