const CONJUNCTION = new Intl.ListFormat('en-GB', { type: 'conjunction' });
const DISJUNCTION = new Intl.ListFormat('en-GB', { type: 'disjunction' });

/** Lists words in a sentence: `a, b and c`. Pure. */
export function andList(words: readonly string[]): string {
	return CONJUNCTION.format(words);
}

/** Lists alternatives in a sentence: `a, b or c`. Pure. */
export function orList(words: readonly string[]): string {
	return DISJUNCTION.format(words);
}
