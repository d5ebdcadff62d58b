// Lists albums: albums.mjs URL COUNT
const base = process.argv[2];
const count = Number(process.argv[3]);

async function album(number) {
  const response = await fetch(`${base}/json/1k?n=${number}`);
  if (response.status !== 200) {
    throw new Error(`album ${number}: ${response.status}`);
  }
  return (await response.text()).length;
}

const numbers = Array.from({ length: count }, (_, number) => number);
const sizes = await Promise.all(numbers.map(album));
console.log(`${sizes.length} albums, ${sizes.reduce((sum, size) => sum + size, 0)} characters`);
