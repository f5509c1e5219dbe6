import { readKey, type Json } from '../../shared/json';

/** Writes a value as a text to be searched, in lower case. What is too deep to be written counts as private. Pure. */
export function searchable(value: Json): string {
	try {
		return JSON.stringify(value).toLowerCase();
	} catch {
		return 'private';
	}
}

/** Reads `tags`, in lower case: a text with commas, a text of JSON or a list. Pure. @param of what has them */
export function tagsOf(of: Json | undefined): Set<string> {
	return new Set(searchable(readKey(of, 'tags') ?? '').split(/[^\p{L}\p{N}_-]+/u));
}
