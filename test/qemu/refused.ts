import { expect } from "bun:test";
import { parseDomain } from "../../src/domain/document.ts";
import type { Domain } from "../../src/domain/domain.ts";
import { formatArgv } from "../../src/qemu/domain-argv.ts";
import { storedDomain } from "../../src/qemu/stored-domain.ts";
import { bytesOf } from "../domain/corpus.ts";

/** Devices, the refused place, other elements of the domain, and its machine type. */
export type Row = readonly [
  devices: string,
  place: string,
  more?: string | undefined,
  machine?: string | undefined,
];

/** Returns the domain of a row. */
export function domainOf([devices, , more = "", machine = "pc"]: Row): Domain {
  return parseDomain(
    bytesOf(`<domain type='kvm'><name>g</name><uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>
      <memory unit='MiB'>64</memory><os><type machine='${machine}'>hvm</type></os>${more}<devices>${devices}</devices></domain>`),
  );
}

/** Expects that both QEMU's arguments and the stored form are refused. */
export function expectRefusal(row: Row): void {
  const refusal = `Cannot translate /domain/${row[1].startsWith("features") ? "" : "devices/"}${row[1]} for QEMU: `;
  expect(() => formatArgv(domainOf(row))).toThrow(refusal);
  expect(() => storedDomain(domainOf(row))).toThrow(refusal);
}
