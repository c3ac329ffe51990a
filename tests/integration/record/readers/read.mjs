// Reads rows.arrows with two readers that are not ours and compares every value with the CSV export, bit for bit.
// node read.mjs rows.arrows export.bdf.csv
import { readFileSync } from 'node:fs';
import { tableFromIPC, compressionRegistry, CompressionType } from 'apache-arrow';
import { decompress } from 'fzstd';
import pl from 'nodejs-polars';

compressionRegistry.set(CompressionType.ZSTD, { decode: (bytes) => decompress(bytes).slice() }); // a copy: aligned

const [, , streamPath, csvPath] = process.argv;
const bytes = readFileSync(streamPath);
const lines = readFileSync(csvPath, 'utf8').trimEnd().split('\n');
const header = lines[0].split(',');
const expected = new Map(header.map((name) => [name, []]));
for (const line of lines.slice(1)) {
  line.split(',').forEach((cell, i) => expected.get(header[i]).push(cell === '' ? null : cell));
}
const rows = lines.length - 1;
let failures = 0;
function fail(text) {
  console.error(`FAILED: ${text}`);
  failures += 1;
}

function compare(reader, name, values) {
  if (!expected.has(name)) return fail(`${reader}: column "${name}" is not in the export`);
  const want = expected.get(name);
  if (values.length !== want.length) return fail(`${reader}: ${name}: ${values.length} rows, the export has ${want.length}`);
  for (let i = 0; i < want.length; i += 1) {
    const got = values[i] === null || values[i] === undefined ? null : Number(values[i]);
    const exp = want[i] === null ? null : Number(want[i]);
    if (!Object.is(got, exp) && !(got === 0 && exp === 0)) return fail(`${reader}: ${name}, row ${i}: ${got}, the export has ${exp}`);
  }
  return undefined;
}

function withArrow(label, data) {
  const table = tableFromIPC(data);
  if (table.numRows !== rows) fail(`${label}: ${table.numRows} rows, the export has ${rows}`);
  for (const field of table.schema.fields) {
    if (!field.metadata.has('unit')) fail(`${label}: ${field.name} has no unit`);
    compare(label, field.name, Array.from(table.getChild(field.name)));
  }
  console.log(`${label}: ${table.numRows} rows, ${table.schema.fields.length} columns`);
}

function withPolars(label, data) {
  const table = pl.readIPCStream(data);
  for (const name of table.columns) compare(label, name, table.getColumn(name).toArray());
  console.log(`${label}: ${table.height} rows, ${table.columns.length} columns`);
}

if (rows < 100) fail(`only ${rows} rows to compare`);
withArrow('apache-arrow', bytes);
withPolars('polars', bytes);
// While the test runs the end mark is not there yet.
const live = bytes.subarray(0, bytes.length - 8);
withArrow('apache-arrow, running', live);
withPolars('polars, running', live);
process.exit(failures === 0 ? 0 : 1);
