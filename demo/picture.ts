import { deflateSync } from 'node:zlib';

const width = 240;
const height = 140;
const bars = [108, 96, 60, 44, 40];
const colours = { paper: [250, 250, 247], line: [120, 124, 130], loud: [214, 96, 77], quiet: [67, 147, 195] };

/** Draws a PNG file: the noise of a heat pump at five levels of its fan. */
export function noisePicture(): Buffer {
	const rows = Array.from({ length: height }, (_, y) => [
		0,
		...Array.from({ length: width }, (_, x) => pixel(x, y)).flat(),
	]);
	const header = Buffer.alloc(13);
	header.writeUInt32BE(width, 0);
	header.writeUInt32BE(height, 4);
	header.set([8, 2, 0, 0, 0], 8); // 8 bits each of red, green and blue
	return Buffer.concat([
		Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
		chunk('IHDR', header),
		chunk('IDAT', deflateSync(Buffer.from(rows.flat()))),
		chunk('IEND', Buffer.alloc(0)),
	]);
}

function pixel(x: number, y: number): number[] {
	const ground = height - 15;
	if (y === ground && x >= 15 && x < width - 15) return colours.line;
	const bar = Math.floor((x - 20) / 42);
	const tall = bars[bar];
	const inside = tall !== undefined && (x - 20) % 42 >= 8 && y < ground && y >= ground - tall;
	if (!inside) return colours.paper;
	return tall > 50 ? colours.loud : colours.quiet;
}

function chunk(type: string, data: Buffer): Buffer {
	const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
	const size = Buffer.alloc(4);
	size.writeUInt32BE(data.length);
	const check = Buffer.alloc(4);
	check.writeUInt32BE(crc32(named));
	return Buffer.concat([size, named, check]);
}

function crc32(bytes: Buffer): number {
	let crc = 0xffffffff;
	for (const byte of bytes) {
		crc ^= byte;
		for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return (crc ^ 0xffffffff) >>> 0;
}
