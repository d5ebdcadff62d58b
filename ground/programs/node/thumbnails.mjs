// Passes each image to a program that makes it smaller: thumbnails.mjs URL COUNT
import { execFileSync } from 'node:child_process';

const [base, count] = process.argv.slice(2);
const TOOL = ['sh', ['-c', 'sleep 0.03; wc -c']];

async function thumbnail(url) {
  const response = await fetch(url);
  const image = Buffer.from(await response.arrayBuffer());
  const output = execFileSync(...TOOL, { input: image });
  return Number(output.toString());
}

const urls = [];
for (let number = 0; number < Number(count); number++) {
  urls.push(`${base}/bytes/2k?n=${number}`);
}
const sizes = await Promise.all(urls.map(thumbnail));
console.log(`${sizes.length} images, ${sizes.reduce((a, b) => a + b)} bytes`);
