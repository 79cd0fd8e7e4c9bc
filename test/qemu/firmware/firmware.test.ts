import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../../src/domain/document.ts";
import { completeGuest } from "../../../src/qemu/complete-guest.ts";
import { formatArgv } from "../../../src/qemu/domain-argv.ts";
import { bytesOf } from "../../domain/corpus.ts";

function guestWith(os: string, { machine = "q35", features = "<acpi/>" } = {}) {
  return parseDomain(
    bytesOf(`<domain type='kvm'>
  <name>guest</name>
  <uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>
  <memory unit='MiB'>64</memory>
  ${os.replace("<type/>", `<type machine='${machine}'>hvm</type>`)}
  <features>${features}</features>
</domain>`),
  );
}

// Outcomes of libvirt's own cases, firmware-*.x86_64-latest.{args,xml,err}.
describe("the firmware of a domain", () => {
  test("with Secure Boot brings SMM along", () => {
    const { domain } = completeGuest(guestWith("<os firmware='efi'><type/></os>"));
    expect(domain.os.loader?.path).toBe("/usr/share/edk2/ovmf/OVMF_CODE.secboot.fd");
    expect(domain.features?.smm?.state).toBe(true);
  });

  test("is another one where SMM is off, or on a board without it", () => {
    for (const guest of [
      guestWith("<os firmware='efi'><type/></os>", { features: "<acpi/><smm state='off'/>" }),
      guestWith("<os firmware='efi'><type/></os>", { machine: "pc" }),
    ]) {
      expect(completeGuest(guest).domain.os.loader?.path).toBe("/usr/share/edk2/ovmf/OVMF_CODE.fd");
    }
  });

  test("stays what it is when it has been chosen", () => {
    const once = completeGuest(guestWith("<os firmware='efi'><type/></os>")).domain;
    expect(completeGuest(once).domain).toEqual(once);
  });

  test.each([
    ["<os firmware='bios'><type/><nvram>/a</nvram></os>", "/domain/os/nvram"],
    ["<os firmware='efi'><type/><loader readonly='no'/></os>", "/domain/os/@firmware"],
    ["<os><type/><loader type='pflash' readonly='yes'/></os>", "/domain/os/loader"],
    ["<os><type/><loader stateless='no'>/a</loader></os>", "/domain/os/loader/@stateless"],
    [
      "<os><type/><loader type='pflash' stateless='yes'>/a</loader><nvram>/b</nvram></os>",
      "/domain/os/nvram",
    ],
    ["<os><type/><loader type='pflash' secure='yes'>/a</loader></os>", "/domain/os/loader/@secure"],
    [
      `<os firmware='efi'><type/><firmware><feature enabled='yes' name='enrolled-keys'/>
       <feature enabled='no' name='secure-boot'/></firmware></os>`,
      "/domain/os/firmware/feature",
    ],
  ])("is refused as %s", (os, place) => {
    expect(() => formatArgv(guestWith(os))).toThrow(`Cannot translate ${place} for QEMU: `);
  });

  test("of the kind UEFI is refused without ACPI", () => {
    const guest = guestWith("<os firmware='efi'><type/></os>", { features: "" });
    expect(() => formatArgv(guest)).toThrow("UEFI requires ACPI on a PC");
  });
});
