// Copies records of an archive: archive.mjs URL COUNT
const [, , base, n] = process.argv;
const AT_A_TIME = 20;

const record = async (number) => {
  const response = await fetch(`${base}/plain?n=${number}`);
  return response.text();
};

async function copy(numbers) {
  const records = [];
  for (let start = 0; start < numbers.length; start += AT_A_TIME) {
    const part = numbers.slice(start, start + AT_A_TIME);
    records.push(...await Promise.all(part.map(record)));
  }
  return records;
}

const records = await copy([...Array(Number(n)).keys()]);
console.log('copied', records.length, 'records');
