import { expect, test } from "bun:test";
import { parseDomain } from "../../../src/domain/document.ts";
import { formatArgv } from "../../../src/qemu/domain-argv.ts";
import { bytesOf } from "../../domain/corpus.ts";

const UUID = "c7a5fdbd-edaf-9455-926a-d65c16db1809";

function wordsFor(security: string, type = "kvm"): readonly string[] {
  const text = `<domain type='${type}'><name>guest</name><memory>65536</memory><os><type machine='q35'>hvm</type></os>${security}</domain>`;
  return formatArgv(parseDomain(bytesOf(text), UUID));
}

const sev = (inside: string): string =>
  `<launchSecurity type='sev'>${inside}<policy>0x0001</policy></launchSecurity>`;
const place = "<cbitpos>47</cbitpos><reducedPhysBits>1</reducedPhysBits>";

// Keys of QEMU's SevGuestProperties, qapi/qom.json.
test("formatArgv() has the processor encrypt a guest's memory", () => {
  const words = wordsFor(sev(place));
  expect(words).toContain(
    '{"qom-type":"sev-guest","id":"lsec0","cbitpos":47,"reduced-phys-bits":1,"policy":1}',
  );
  expect(words.find((word) => word.startsWith("q35,"))).toContain(",confidential-guest-support=lsec0,");
});

test.each([
  ["the bits that only the host knows", sev(""), "kvm"],
  ["a processor that is emulated", sev(place), "qemu"],
])("formatArgv() refuses %s", (_, security, type) => {
  expect(() => wordsFor(security, type)).toThrow("/domain/launchSecurity");
});
