// Adds up the prices of a list of articles: prices.mjs URL COUNT
const [base, count] = [process.argv[2], Number(process.argv[3])];

async function price(article) {
  const response = await fetch(`${base}/json/1k?n=${article}`);
  if (!response.ok) {
    throw new Error(`article ${article}: ${response.status}`);
  }
  const text = await response.text();
  return text.length;
}

let total = 0;
for (let article = 0; article < count; article++) {
  total += await price(article);
}
console.log(`${count} articles, total ${total}`);
