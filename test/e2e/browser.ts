import { existsSync } from 'node:fs';
import { chromium, type Browser, type Locator } from 'playwright-core';

const BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Starts the Chromium of Debian's packages. The variable CHROMIUM names another one. @throws Error where there is none */
export async function openBrowser(): Promise<Browser> {
	const executablePath = [process.env.CHROMIUM ?? '', ...BROWSERS].find((path) => existsSync(path));
	if (executablePath === undefined) throw new Error('There is no Chromium: apt-get install chromium');
	// As root it has no sandbox. The other options keep it from calling its own services.
	const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'];
	return await chromium.launch({ executablePath, args });
}

/** Whether something comes to be seen. */
export async function isShown(what: Locator, timeout = 20_000): Promise<boolean> {
	return await what
		.first()
		.waitFor({ timeout })
		.then(
			() => true,
			() => false,
		);
}
