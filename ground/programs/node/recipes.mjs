// Reads recipes from a stream of them: recipes.mjs URL COUNT
const [base, count] = process.argv.slice(2);

async function* recipes(total) {
  for (let number = 0; number < total; number++) {
    const response = await fetch(`${base}/json/1k?n=${number}`);
    yield await response.text();
  }
}

let bytes = 0;
for await (const recipe of recipes(Number(count))) bytes += recipe.length;
console.log(`${count} recipes, ${bytes} bytes`);
