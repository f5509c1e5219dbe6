import { plainTextOf } from '../../../nodes/Dynamics365Messaging/activity/plainText';

test.each([
	['hello', 'hello'],
	['**Hello** _Kim_, ~~this~~ `that`', 'Hello Kim, this that'],
	['one<br>two<br/>three<BR />four', 'one\ntwo\nthree\nfour'],
	['one\ntwo', 'one\ntwo'],
	['# Title\n\nText', 'Title\n\nText'],
	['a snake_case_name and 2 * 3 * 4', 'a snake_case_name and 2 * 3 * 4'],
	['[our page](https://example.com/a_b)', 'our page (https://example.com/a_b)'],
	['https://example.com/a_b_c', 'https://example.com/a_b_c'],
	['<https://example.com>', 'https://example.com'],
	['kim@example.com', 'kim@example.com'],
	['![a chart](https://example.com/x.png)', 'a chart'],
	['- one\n- two\n  - three', '- one\n- two\n  - three'],
	['3. three\n4. four', '3. three\n4. four'],
	['> quoted\n> twice', 'quoted\ntwice'],
	['```\nlet a_b = 1;\n```', 'let a_b = 1;'],
	['a &amp; b &lt;c&gt; &quot;d&quot; &#39;e&#39;', 'a & b <c> "d" \'e\''],
	['\\*not bold\\*', '*not bold*'],
	['| a | b |\n| - | - |\n| 1 | 2 |', 'a | b\n1 | 2'],
	['1 < 2 and <b>bold</b>', '1 < 2 and <b>bold</b>'],
	['one\n\n---\n\ntwo', 'one\n\ntwo'],
	['  ', ''],
	['', ''],
])('%j is %j', (markdown, plain) => expect(plainTextOf(markdown)).toBe(plain));

test('a text that is longer than any message is not read as Markdown, but its line breaks are', () => {
	const long = `**a**<br>${'x'.repeat(60_000)}`;
	expect(plainTextOf(long)).toBe(long.replace('<br>', '\n'));
});

test.each(['*', '[', '> ', '`', '_a', '![', '<', '- ', '|a', '&amp;', '\\', 'a@b.'])(
	'ten thousand characters of %j cost little and do not throw',
	(part) => {
		const markdown = part.repeat(10_000).slice(0, 10_000);
		// The time of the processor, as that of the clock depends on what else the machine does. Microseconds.
		const start = process.cpuUsage();
		expect(typeof plainTextOf(markdown)).toBe('string');
		expect(process.cpuUsage(start).user).toBeLessThan(3_000_000);
	},
);
