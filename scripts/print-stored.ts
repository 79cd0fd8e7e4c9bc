import fs from "node:fs";
import { formatDomain, parseDomain } from "../src/domain/document.ts";
import { asSvirtError } from "../src/errors.ts";
import { storedDomain } from "../src/qemu/stored-domain.ts";

// For the scorer of the recorded stored forms, which calls it once per file:
//   xml-score FOLDER -- bun scripts/print-stored.ts
try {
  const bytes = fs.readFileSync(process.argv[2] ?? "");
  process.stdout.write(
    formatDomain(storedDomain(parseDomain(bytes, "c7a5fdbd-edaf-9455-926a-d65c16db1809"))),
  );
} catch (thrown) {
  const error = asSvirtError(thrown);
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.exitCode;
}
