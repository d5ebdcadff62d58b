// Checks links; prints how many work: links.mjs URL COUNT
const [base, count] = process.argv.slice(2);
const urls = Array.from({ length: Number(count) }, (_, number) => `${base}/bytes/20k?n=${number}`);

async function works(url) {
  const controller = new AbortController();
  const response = await fetch(url, { signal: controller.signal });
  controller.abort();
  return response.ok;
}

async function check(queue, results) {
  while (queue.length) {
    results.push(await works(queue.shift()));
  }
}

const results = [];
await Promise.all(Array.from({ length: 12 }, () => check(urls, results)));
console.log(`${results.filter(Boolean).length} of ${results.length} links work`);
