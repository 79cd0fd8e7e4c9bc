import fs from "node:fs";
import { parseDomain } from "../src/domain/document.ts";
import { asSvirtError } from "../src/errors.ts";
import { formatArgv } from "../src/qemu/domain-argv.ts";

// For the scorer of the recorded command lines, which calls it once per file:
//   argv-score FOLDER -- bun scripts/print-argv.ts
try {
  const bytes = fs.readFileSync(process.argv[2] ?? "");
  process.stdout.write(
    `${JSON.stringify(formatArgv(parseDomain(bytes, "c7a5fdbd-edaf-9455-926a-d65c16db1809")))}\n`,
  );
} catch (thrown) {
  const error = asSvirtError(thrown);
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.exitCode;
}
