// Derives a key of each document: checksums.mjs URL COUNT
import crypto from 'node:crypto';

const base = process.argv[2];
const count = Number(process.argv[3]);

function keyOf(data, salt) {
  return crypto.pbkdf2Sync(data, salt, 40000, 32, 'sha256');
}

async function digest(number) {
  const response = await fetch(`${base}/bytes/1k?n=${number}`);
  const data = Buffer.from(await response.arrayBuffer());
  return keyOf(data, String(number)).toString('hex');
}

const keys = await Promise.all([...Array(count).keys()].map(digest));
console.log(crypto.createHash('sha256').update(keys.join()).digest('hex'));
