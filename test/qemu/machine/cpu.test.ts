import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../../src/domain/document.ts";
import { formatUtcTime } from "../../../src/qemu/argument/utc-time.ts";
import { formatArgv } from "../../../src/qemu/domain-argv.ts";
import { bytesOf } from "../../domain/corpus.ts";

const UUID = "c7a5fdbd-edaf-9455-926a-d65c16db1809";

/** Returns the value of -cpu for a domain with these elements. */
function cpuFor(inside: string, type = "kvm"): string | undefined {
  const text = `<domain type='${type}'><name>guest</name><memory>65536</memory><os><type machine='pc'>hvm</type></os>${inside}</domain>`;
  const words = formatArgv(parseDomain(bytesOf(text), UUID));
  return words[words.indexOf("-cpu") + 1];
}

describe("formatArgv() says of the processor", () => {
  // https://libvirt.org/formatdomain.html#hypervisor-features, and QEMU's docs/system/i386/hyperv.rst
  test.each([
    ["<hyperv mode='passthrough'/>", "hv-passthrough=on"],
    ["<hyperv><spinlocks state='on' retries='8191'/></hyperv>", "hv-spinlocks=0x1fff"],
    ["<hyperv><vendor_id state='on' value='KVM Hv'/></hyperv>", "hv-vendor-id=KVM Hv"],
    [
      "<hyperv><tlbflush state='on'><direct state='on'/><extended state='on'/></tlbflush></hyperv>",
      "hv-tlbflush=on,hv-tlbflush-direct=on,hv-tlbflush-ext=on",
    ],
    ["<hyperv><stimer state='off'><direct state='on'/></stimer></hyperv>", undefined],
    [
      "<hyperv><emsr_bitmap state='on'/><xmm_input state='on'/></hyperv>",
      "hv-emsr-bitmap=on,hv-xmm-input=on",
    ],
    ["<kvm><hidden state='on'/><pv-ipi state='off'/></kvm>", "kvm=off,kvm-pv-ipi=off"],
    ["<pvspinlock/>", "kvm-pv-unhalt=on"],
  ])("%s: %s", (feature, flags) => {
    expect(cpuFor(`<features>${feature}</features>`)).toBe(["qemu64", flags].filter(Boolean).join());
  });

  test.each([
    [
      "<cpu mode='host-passthrough'><cache mode='passthrough'/></cpu>",
      "host,migratable=on,host-cache-info=on,l3-cache=off",
    ],
    ["<cpu mode='maximum'/>", "max"],
    ["<cpu mode='maximum' migratable='off'/>", "max,migratable=off"],
    ["<cpu><cache mode='disable'/></cpu>", "qemu64,l3-cache=off"],
    // qemuValidateDomainDefCpu() of libvirt requires no CPU mode for it, unlike for a cache.
    ["<cpu><maxphysaddr mode='passthrough'/></cpu>", "qemu64,host-phys-bits=on"],
    ["<cpu><maxphysaddr mode='emulate' bits='40'/></cpu>", "qemu64,phys-bits=40"],
    [
      "<cpu mode='host-passthrough'><maxphysaddr mode='passthrough' limit='39'/></cpu>",
      "host,migratable=on,host-phys-bits=on,host-phys-bits-limit=39",
    ],
    // Features that cpu_map of libvirt 11.3 removes from a model, and recorded as cpu-Icelake-Server-pconfig.
    ["<cpu><model>Skylake-Client-IBRS</model></cpu>", "Skylake-Client-IBRS,mpx=off"],
    ["<cpu><model>EPYC</model><feature name='monitor' policy='require'/></cpu>", "EPYC,monitor=on"],
    ["<cpu><model>EPYC</model><feature name='svm' policy='disable'/></cpu>", "EPYC,svm=off,monitor=off"],
    ["<cpu><model>EPYC-Rome</model></cpu>", "EPYC-Rome"],
    ["<cpu><model>Skylake-Server-v4</model></cpu>", "Skylake-Server-v4"],
    [
      "<cpu><model>Icelake-Server</model><feature name='osxsave' policy='forbid'/></cpu>",
      "Icelake-Server,intel-pt=off,mpx=off",
    ],
    // No processor gives a guest a feature that QEMU has no name for.
    ["<cpu><model>core2duo</model><feature name='osxsave' policy='optional'/></cpu>", "core2duo"],
    ["<cpu><model vendor_id='Genuineuwuwu'>core2duo</model></cpu>", "core2duo,vendor=Genuineuwuwu"],
  ])("%s: %s", (cpu, flags) => {
    expect(cpuFor(cpu)).toBe(flags);
  });

  test.each([
    ["<cpu match='minimum'><model>core2duo</model></cpu>", "/domain/cpu/@match"],
    [
      "<cpu><model>core2duo</model><feature policy='optional' name='vmx'/></cpu>",
      "/domain/cpu/feature[1]/@policy",
    ],
    ["<cpu><cache mode='passthrough'/></cpu>", "/domain/cpu/cache/@mode"],
    ["<cpu><cache level='3' mode='disable'/></cpu>", "/domain/cpu/cache/@level"],
    ["<cpu><feature name='vmx'/></cpu>", "/domain/cpu/feature"],
    ["<cpu><model>core2duo</model><feature name='cmt' policy='require'/></cpu>", "/domain/cpu/feature[1]"],
    ["<features><kvm><hint-dedicated state='on'/></kvm></features>", "/domain/features/kvm/hint-dedicated"],
    ["<features><smm state='on'><tseg>1</tseg></smm></features>", "/domain/features/smm/tseg"],
    ["<features><tcg><tb-cache>4096</tb-cache></tcg></features>", "/domain/features/tcg"],
    ["<features><kvm><dirty-ring state='on' size='5000'/></kvm></features>", "dirty-ring/@size"],
  ])("nothing for %s", (inside, place) => {
    expect(() => cpuFor(inside)).toThrow(place);
  });
});

test("formatUtcTime() is what JavaScript's own calendar says, over 8,000 years", () => {
  for (let seconds = 0; seconds < 253_402_300_799; seconds += 26_784_961) {
    expect(formatUtcTime(seconds)).toBe(new Date(seconds * 1000).toISOString().slice(0, 19));
  }
});
