// In turn: it takes seconds of a processor.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createCipheriv } from "node:crypto";
import { SvirtError } from "../../src/errors.ts";
import type { SealedValue } from "../../src/qemu/devices/disk/secrets.ts";
import { formatArgv } from "../../src/qemu/domain-argv.ts";
import {
  attempt,
  comparableOptions,
  listRecorded,
  readRecorded,
  readRecordedOptions,
  recordedFolder,
} from "./recorded.ts";

// Reads hundreds of documents, on a machine that may be busy.
setDefaultTimeout(60_000);

/** Minimum of cases translated exactly. Raised with each improvement, never lowered. */
const EXACT_AT_LEAST = 399;

/**
 * Minimum of cases refused. The others depend on the host: one names a NUMA node that the recording host
 * lacked.
 */
const REFUSED_AT_LEAST = 101;

/** Cases recorded with settings outside the XML, which alone does not give these arguments. */
const OTHER_SETTINGS = new Set([
  "audio-default-nographics", // qemu.conf: nographics_allow_host_audio
  "disk-cdrom-network-nbdkit", // recorded where nbdkit is installed
  "graphics-spice-sasl", // qemu.conf: spice_sasl
  "graphics-vnc-sasl", // qemu.conf: vnc_sasl
  "graphics-vnc-tls", // qemu.conf: vnc_tls
  "migrate", // recorded as the target of a migration
  "migrate-numa-unaligned", // the same
  "restore-v2-fd", // recorded as restored from a file
]);

/**
 * Encrypts the value, key and initialization vector of libvirt's tests: qemuxmlconftest.c, virrandommock.c.
 */
function sealed(): SealedValue {
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => at);
  const cipher = createCipheriv("aes-256-cbc", bytes(32), bytes(16));
  const data = Buffer.concat([cipher.update("AQCVn5hO6HzFAhAAq0NCv8jtJcIcE+HOBlMQ1A"), cipher.final()]);
  return { data: data.toString("base64"), iv: bytes(16).toBase64() };
}

const missing = recordedFolder === undefined ? " (skipped: SVIRT_TEST_DATA is not set)" : "";

describe.skipIf(recordedFolder === undefined)(
  `formatArgv() against libvirt's recorded words${missing}`,
  () => {
    const translate = (name: string): readonly string[] | SvirtError => {
      const domain = readRecorded(name);
      return domain instanceof SvirtError ? domain : attempt(() => formatArgv(domain, { sealed }));
    };

    test("prints no command line but the recorded one", () => {
      let exact = 0;
      for (const name of listRecorded("args")) {
        const words = translate(name);
        if (words instanceof SvirtError || OTHER_SETTINGS.has(name)) continue;
        expect([name, ...comparableOptions(words)]).toEqual([name, ...readRecordedOptions(name)]);
        exact += 1;
      }
      expect(exact).toBeGreaterThanOrEqual(EXACT_AT_LEAST);
    });

    test("refuses what libvirt refuses", () => {
      const refused = listRecorded("err").filter((name) => translate(name) instanceof SvirtError);
      expect(refused.length).toBeGreaterThanOrEqual(REFUSED_AT_LEAST);
    });

    test("refuses with a place and a remedy, and with an exit status of 2", () => {
      for (const name of [...listRecorded("args"), ...listRecorded("err")]) {
        const refusal = translate(name);
        if (!(refusal instanceof SvirtError)) continue;
        expect([name, refusal.exitCode]).toEqual([name, 2]);
        expect(refusal.message).toMatch(/^Cannot \S+ (?:the XML|\/)/);
        expect(refusal.remedy).toBeDefined();
      }
    });
  },
);
