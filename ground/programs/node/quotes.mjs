// Asks for quotes and scores them, with a short timeout: quotes.mjs URL COUNT
import { createHash } from 'node:crypto';

const [base, count] = process.argv.slice(2);

function score(text) {
  let value = text;
  for (let i = 0; i < 30000; i++) {
    value = createHash('md5').update(value).digest('hex');
  }
  return value;
}

async function quote(number) {
  for (let attempt = 0; attempt < 40; attempt++) {
    try {
      const response = await fetch(`${base}/bytes/1k?n=${number}`, { signal: AbortSignal.timeout(500) });
      return score(await response.text());
    } catch (error) {
      if (error.name !== 'TimeoutError') throw error;
    }
  }
  return null;
}

const scores = await Promise.all([...Array(Number(count)).keys()].map(quote));
console.log(scores.length, 'quotes');
