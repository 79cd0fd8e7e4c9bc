import { describe, expect, test } from "bun:test";
import { formatContext } from "../../src/selinux/context.ts";
import {
  domainContextFor,
  parseDomainContexts,
  parseImageContexts,
  parseSelinuxConfig,
} from "../../src/selinux/contexts-files.ts";

// libvirt's securityselinuxhelperdata
const DOMAIN = "system_u:system_r:svirt_t:s0\nsystem_u:system_r:svirt_tcg_t:s0\n";
const IMAGE = "system_u:object_r:svirt_image_t:s0\nsystem_u:object_r:virt_content_t:s0\n";
const NO_NETWORK = { hasUserNetwork: false };

describe("parseDomainContexts()", () => {
  test("takes the first line for KVM and the second for TCG", () => {
    const contexts = parseDomainContexts(DOMAIN, "f");
    expect(formatContext(domainContextFor(contexts, { virtType: "kvm", ...NO_NETWORK }))).toBe(
      "system_u:system_r:svirt_t:s0",
    );
    expect(formatContext(domainContextFor(contexts, { virtType: "qemu", ...NO_NETWORK }))).toBe(
      "system_u:system_r:svirt_tcg_t:s0",
    );
  });

  test("has guests with a network of their own in the same types, where a policy has no others", () => {
    const contexts = parseDomainContexts(DOMAIN, "f");
    expect(domainContextFor(contexts, { virtType: "kvm", hasUserNetwork: true }).type).toBe("svirt_t");
    expect(domainContextFor(contexts, { virtType: "qemu", hasUserNetwork: true }).type).toBe("svirt_tcg_t");
  });

  test("has eight lines for what a guest needs, as svirt's own policy has them", () => {
    const names = ["t", "tcg_t", "net_t", "tcg_net_t", "usb_t", "tcg_usb_t", "net_usb_t", "tcg_net_usb_t"];
    const contexts = parseDomainContexts(
      names.map((name) => `system_u:system_r:svirt_${name}:s0\n`).join(""),
      "f",
    );
    const found = [false, true].flatMap((looksForDevices) =>
      [false, true].flatMap((hasUserNetwork) =>
        (["kvm", "qemu"] as const).map(
          (virtType) => domainContextFor(contexts, { virtType, hasUserNetwork, looksForDevices }).type,
        ),
      ),
    );
    expect(found).toEqual(names.map((name) => `svirt_${name}`));
  });

  test("has guests with USB devices in the types of others, where a policy has no more than four", () => {
    const four = DOMAIN + DOMAIN.replaceAll("_t:", "_net_t:");
    const contexts = parseDomainContexts(four, "f");
    const kind = { virtType: "kvm", hasUserNetwork: true, looksForDevices: true } as const;
    expect(domainContextFor(contexts, kind).type).toBe("svirt_net_t");
  });

  test("takes the one line for both, as the reference does", () => {
    const contexts = parseDomainContexts("system_u:system_r:svirt_t:s0", "f");
    expect(domainContextFor(contexts, { virtType: "qemu", ...NO_NETWORK }).type).toBe("svirt_t");
  });

  test.each([
    ["# nothing but this\n\n", "lacks a process context"],
    ["junk\n", 'a context where it has "junk"'],
  ])("refuses %j and names the file", (text, words) => {
    expect(() => parseDomainContexts(text, "/etc/f")).toThrow(words);
    expect(() => parseDomainContexts(text, "/etc/f")).toThrow("/etc/f");
  });
});

describe("parseImageContexts()", () => {
  test("takes the first line for images and the second for content", () => {
    const { content, image } = parseImageContexts(IMAGE, "f");
    expect([image.type, content.type]).toEqual(["svirt_image_t", "virt_content_t"]);
  });

  test("refuses a file without the second line, where the reference would pass a null pointer", () => {
    expect(() => parseImageContexts("system_u:object_r:svirt_image_t:s0\n", "f")).toThrow(
      "in its second line",
    );
  });
});

test("parseSelinuxConfig() reads the key at the beginning of a line alone", () => {
  const text = "# SELINUXTYPE=old\nSELINUX=enforcing\nSELINUXTYPE=default \n";
  expect(parseSelinuxConfig(text, "SELINUXTYPE")).toBe("default");
  expect(parseSelinuxConfig(text, "SELINUXMORE")).toBeUndefined();
});
