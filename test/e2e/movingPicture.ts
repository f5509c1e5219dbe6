import type { Page } from 'playwright-core';
import sharp from 'sharp';

interface Frame {
	/** PNG. */
	image: Buffer;
	ms: number;
}

/** What a person sees of a page, without its place in the picture. */
async function seen(page: Page): Promise<Buffer> {
	return await page.screenshot({ animations: 'disabled', caret: 'hide' });
}

/**
 * A picture of two pages side by side that moves: a frame for each thing that happens, with a time of its own, so that it has the
 * same length however slow the machine is.
 *
 * @example
 * const picture = await MovingPicture.start([{ page: editor, caption: 'n8n' }, { page: desk, caption: 'Agent desk' }]);
 * await picture.show(1_000);
 * await picture.save('docs/images/demo.webp');
 */
export class MovingPicture {
	private readonly frames: Frame[] = [];

	private constructor(
		private readonly pages: Page[],
		private readonly captions: Buffer[],
	) {}

	/** Draws the captions. @param sides from left to right; pages of the same height and scale */
	static async start(sides: Array<{ page: Page; caption: string }>): Promise<MovingPicture> {
		const captions: Buffer[] = [];
		for (const { page, caption } of sides) {
			const width = page.viewportSize()?.width ?? 0;
			const drawn = await page.context().newPage();
			await drawn.setViewportSize({ width, height: 32 });
			await drawn.setContent(
				`<body style="margin:0;background:#24272b;color:#fff;font:600 15px/32px system-ui,sans-serif;text-align:center">${caption}</body>`,
			);
			captions.push(await drawn.screenshot());
			await drawn.close();
		}
		return new MovingPicture(
			sides.map(({ page }) => page),
			captions,
		);
	}

	/** Shows the pages as they are now. @param ms how long */
	async show(ms: number): Promise<void> {
		const images = await Promise.all(this.pages.map(seen));
		const image = await this.beside(images);
		const last = this.frames.at(-1);
		if (last?.image.equals(image)) last.ms += ms;
		else this.frames.push({ image, ms });
	}

	/** Types into the field that has the focus, some letters a frame. */
	async type(page: Page, words: string): Promise<void> {
		for (let typed = 0; typed < words.length; typed += 9) {
			await page.keyboard.type(words.slice(typed, typed + 9));
			await this.show(160);
		}
	}

	/** Writes the picture as animated WebP, which plays without end. @returns its size in bytes, and how long it plays */
	async save(file: string): Promise<{ size: number; ms: number }> {
		const images = this.frames.map(({ image }) => image);
		const delay = this.frames.map(({ ms }) => ms);
		const { size } = await sharp(images, { join: { animated: true } })
			.webp({ delay, loop: 0, quality: 78, effort: 4 })
			.toFile(file);
		return { size, ms: delay.reduce((sum, ms) => sum + ms, 0) };
	}

	/** Puts the pages side by side, below their captions. */
	private async beside(images: Buffer[]): Promise<Buffer> {
		const layers: Array<{ input: Buffer; left: number; top: number }> = [];
		let [left, bottom] = [0, 0];
		for (const [index, input] of images.entries()) {
			const caption = this.captions[index];
			if (!caption) continue;
			const [page, above] = await Promise.all([sharp(input).metadata(), sharp(caption).metadata()]);
			layers.push({ input: caption, left, top: 0 }, { input, left, top: above.height });
			left += page.width;
			bottom = Math.max(bottom, above.height + page.height);
		}
		const ground = { width: left, height: bottom, channels: 3 as const, background: '#24272b' };
		return await sharp({ create: ground }).composite(layers).png({ compressionLevel: 1 }).toBuffer();
	}
}
