import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../../src/domain/document.ts";
import { inspectDomain } from "../../../src/domain/document-forms.ts";
import type { SourceSeclabel } from "../../../src/domain/forms/source-seclabel.ts";
import { guestSeclabel } from "../../../src/domain/machine/guest-seclabel.ts";
import type { Seclabel } from "../../../src/domain/machine/seclabel.ts";
import { overrideOf } from "../../../src/domain/resources/disk.ts";
import { asSvirtError, type SvirtError } from "../../../src/errors.ts";
import { domainWith } from "../corpus.ts";

const seclabelsOf = (xml: string) => parseDomain(domainWith("", xml)).seclabels;
const LABEL = "system_u:system_r:svirt_t:s0:c1,c2";

function diskWith(seclabel: string, more = "") {
  const xml = `<disk><source file='/a'>${seclabel}</source><target dev='vda'/></disk>`;
  const [disk] = parseDomain(domainWith(xml, more)).devices.disks;
  return disk?.type === "file" ? disk.source?.seclabels : undefined;
}

function thrownBy(act: () => unknown): SvirtError {
  try {
    act();
  } catch (error) {
    return asSvirtError(error);
  }
  throw new Error("nothing was refused");
}

describe("a domain's <seclabel>", () => {
  test.each([
    ["<seclabel/>", { type: "dynamic" }],
    ["<seclabel type='dynamic'/>", { type: "dynamic" }],
    [
      "<seclabel type='dynamic' model='selinux' relabel='yes'/>",
      { type: "dynamic", model: "selinux", relabel: true },
    ],
    // libvirt loses this base label. Its documentation says that the type is then dynamic.
    [
      `<seclabel model='selinux'><baselabel>${LABEL}</baselabel></seclabel>`,
      { type: "dynamic", model: "selinux", baselabel: LABEL },
    ],
    [
      `<seclabel type='dynamic'><label>${LABEL}</label><imagelabel>${LABEL}</imagelabel></seclabel>`,
      { type: "dynamic" },
    ],
    [
      `<seclabel type='static' model='selinux'><label>  ${LABEL} </label></seclabel>`,
      { type: "static", model: "selinux", label: LABEL },
    ],
    [
      `<seclabel type='static' model='selinux' relabel='yes'><label>${LABEL}</label><imagelabel>a:b:c:s0</imagelabel></seclabel>`,
      { type: "static", model: "selinux", relabel: true, label: LABEL },
    ],
    ["<seclabel type='none'/>", { type: "none" }],
    ["<seclabel type='none' model='none' relabel='no'/>", { type: "none", model: "none", relabel: false }],
    [
      "<seclabel type='dynamic' model='dac' relabel='yes'/>",
      { type: "dynamic", model: "dac", relabel: true },
    ],
  ])("%s is taken", (xml, value) => {
    expect(seclabelsOf(xml)).toEqual([value as (typeof seclabels)[number]]);
  });
  const seclabels = seclabelsOf("");

  test.each([
    ["<seclabel type='weird'/>", '/@type in line 7: "weird" is not one of "dynamic", "static", "none"'],
    ["<seclabel type='default'/>", '/@type in line 7: "default" is not one of'],
    ["<seclabel relabel='maybe'/>", '/@relabel in line 7: "maybe" is not one of "yes", "no"'],
    [
      "<seclabel type='dynamic' relabel='no'/>",
      "/@relabel in line 7: dynamic label type must use resource relabeling",
    ],
    ["<seclabel relabel='no'/>", "/@relabel in line 7: dynamic label type must use resource relabeling"],
    [
      "<seclabel type='none' relabel='yes'/>",
      " in line 7: resource relabeling is not compatible with 'none' label type",
    ],
    [
      `<seclabel type='none'><label>${LABEL}</label></seclabel>`,
      " in line 7: resource relabeling is not compatible with 'none' label type",
    ],
    ["<seclabel model='none'/>", "/@model in line 7: model 'none' cannot give a dynamic label"],
    ["<seclabel type='static'/>", "/label in line 7: security label is missing"],
    ["<seclabel type='static'><label/></seclabel>", '/label in line 7: "" is not a security label'],
    [
      "<seclabel type='static'><label>a b</label></seclabel>",
      '/label in line 7: "a b" is not a security label',
    ],
    [
      "<seclabel type='static' model='selinux'><label a='1'>a</label></seclabel>",
      "/label/@a in line 7: svirt does not know it",
    ],
    [
      "<seclabel type='static' model='dac'><label>+107:+107</label></seclabel>",
      " in line 7: svirt chooses the guest's user",
    ],
    [
      "<seclabel model='dac'><baselabel>x</baselabel></seclabel>",
      " in line 7: svirt chooses the guest's user",
    ],
  ])("%s is refused", (xml, message) => {
    expect(() => seclabelsOf(xml)).toThrow(`Cannot read /domain/seclabel${message}`);
  });

  test("a label of more than 4096 bytes is refused", () => {
    const label = (length: number) =>
      `<seclabel type='static' model='selinux'><label>${"a".repeat(length)}</label></seclabel>`;
    expect(seclabelsOf(label(4096))).toHaveLength(1);
    expect(() => seclabelsOf(label(4097))).toThrow("Cannot read /domain/seclabel/label in line 7: ");
    const base = `<seclabel><baselabel>${"a".repeat(4097)}</baselabel></seclabel>`;
    expect(() => seclabelsOf(base)).toThrow("Cannot read /domain/seclabel/baselabel in line 7: ");
  });

  test.each([
    [
      "<seclabel model='selinux'/><seclabel model='selinux' type='none'/>",
      "/domain/seclabel[2] in line 7: seclabel for model selinux is already provided",
    ],
    [
      "<seclabel/><seclabel model='dac'/>",
      "/domain/seclabel[1] in line 7: missing security model when using multiple labels",
    ],
    [
      "<seclabel model='dac'/><seclabel/>",
      "/domain/seclabel[2] in line 7: missing security model when using multiple labels",
    ],
    [
      `<seclabel type='static'><label>${LABEL}</label></seclabel>`,
      "/domain/seclabel in line 7: missing security model in domain seclabel",
    ],
    [
      `<seclabel type='dynamic'><baselabel>${LABEL}</baselabel></seclabel>`,
      "/domain/seclabel in line 7: missing security model in domain seclabel",
    ],
  ])("%s contradict each other", (xml, message) => {
    expect(() => seclabelsOf(xml)).toThrow(`Cannot read ${message}`);
  });
});

const OTHER_MODELS = ["flask", "apparmor", "smack"];
const NO_MODELS = ["SELinux", "constructor", ""];
const TYPES = [
  (model: string) => `<seclabel type='dynamic' model='${model}' relabel='yes'/>`,
  (model: string) => `<seclabel type='static' model='${model}'><label>${LABEL}</label></seclabel>`,
  (model: string) => `<seclabel type='none' model='${model}'/>`,
];

describe("a security model that svirt does not implement", () => {
  test.each(OTHER_MODELS)('"%s" of a domain is refused by its name, with its place and a remedy', (model) => {
    for (const seclabelOf of TYPES) {
      const error = thrownBy(() => seclabelsOf(seclabelOf(model)));
      expect([error.kind, error.message, error.remedy, error.place]).toEqual([
        "unsupported",
        `Cannot read /domain/seclabel/@model in line 7: Security driver model '${model}' is not available`,
        "Leave this <seclabel> out: SELinux then labels the guest.",
        "/domain/seclabel/@model",
      ]);
    }
  });

  test("is refused beside one that is implemented", () => {
    const both = "<seclabel type='dynamic' model='selinux'/><seclabel type='dynamic' model='apparmor'/>";
    expect(() => seclabelsOf(both)).toThrow(
      "Cannot read /domain/seclabel[2]/@model in line 7: Security driver model 'apparmor' is not available",
    );
  });

  test.each(OTHER_MODELS)('"%s" of a source is refused by its name', (model) => {
    for (const content of [" relabel='no'/>", `><label>${LABEL}</label></seclabel>`]) {
      const error = thrownBy(() => diskWith(`<seclabel model='${model}'${content}`));
      expect([error.kind, error.message, error.remedy]).toEqual([
        "unsupported",
        `Cannot read /domain/devices/disk/source/seclabel/@model in line 6: Security driver model '${model}' is not available`,
        "Leave this <seclabel> out: SELinux then labels the file.",
      ]);
    }
  });

  test.each(NO_MODELS)('but "%s" is the name of no model, and refused as any other word', (model) => {
    const errors = [
      ...TYPES.map((seclabelOf) => thrownBy(() => seclabelsOf(seclabelOf(model)))),
      thrownBy(() => diskWith(`<seclabel model='${model}' relabel='no'/>`)),
    ];
    for (const { kind, message } of errors) {
      expect(kind).toBe("xml");
      expect(message).toContain(`@model in line `);
      expect(message).toContain(`"${model}" is not one of "selinux", `);
    }
  });

  test("and none, of a source, would label no file", () => {
    expect(() => diskWith("<seclabel model='none' relabel='no'/>")).toThrow(
      '/source/seclabel/@model in line 6: "none" is not one of "selinux", "dac"',
    );
  });

  test("is listed with the other refusals of its document", () => {
    const xml = "<seclabel type='dynamic' model='flask'/><weird/>";
    expect(inspectDomain(domainWith("", xml)).errors.map(({ message }) => message)).toEqual([
      "Cannot read /domain/seclabel/@model in line 7: Security driver model 'flask' is not available",
      "Cannot read /domain/weird in line 7: svirt does not know it",
    ]);
  });
});

describe("guestSeclabel()", () => {
  test("is the one of a label model, that without a model, or a dynamic one", () => {
    expect(guestSeclabel([])).toEqual({ type: "dynamic" });
    expect(guestSeclabel([{ type: "none" }])).toEqual({ type: "none" });
    expect(guestSeclabel([{ type: "none", model: "dac" }])).toEqual({ type: "dynamic" });
    const own = { type: "static", model: "selinux", label: LABEL } as const;
    expect(guestSeclabel([{ type: "none", model: "dac" }, own])).toEqual(own);
  });

  test("takes no other model for one that labels guests", () => {
    const other = { type: "static", model: "flask", label: LABEL } as unknown as Seclabel;
    expect(guestSeclabel([other])).toEqual({ type: "dynamic" });
  });
});

test("overrideOf() takes no other model for SELinux", () => {
  const other = { model: "flask", label: LABEL } as unknown as SourceSeclabel;
  expect(overrideOf([other])).toBeUndefined();
  expect(overrideOf([{ model: "none", relabel: false } as unknown as SourceSeclabel])).toBeUndefined();
  expect(overrideOf([other, { label: "a:b:c:s0" }])).toEqual({ relabel: "yes", label: "a:b:c:s0" });
});

describe("the <seclabel> of a source", () => {
  test.each([
    ["<seclabel relabel='no'/>", [{ relabel: false }]],
    ["<seclabel model='selinux' relabel='no'/>", [{ model: "selinux", relabel: false }]],
    [`<seclabel><label>${LABEL}</label></seclabel>`, [{ label: LABEL }]],
    ["<seclabel model='dac' relabel='no'/>", [{ model: "dac", relabel: false }]],
    [
      `<seclabel model='dac' relabel='no'/><seclabel model='selinux'><label>${LABEL}</label></seclabel>`,
      [
        { model: "dac", relabel: false },
        { model: "selinux", label: LABEL },
      ],
    ],
  ])("%s is taken", (xml, value) => {
    expect(diskWith(xml)).toEqual(value as NonNullable<ReturnType<typeof diskWith>>);
  });

  test.each([
    [
      `<seclabel relabel='no'><label>${LABEL}</label></seclabel>`,
      "/label in line 6: Cannot specify a label if relabelling is turned off. model=selinux",
    ],
    ["<seclabel relabel='yes'/>", " in line 6: Cannot specify relabel if label is missing. model=selinux"],
    ["<seclabel/>", " in line 6: Cannot specify relabel if label is missing. model=selinux"],
    ["<seclabel labelskip='yes'/>", "/@labelskip in line 6: svirt labels every file"],
    ["<seclabel model='dac'><label>+0:+0</label></seclabel>", " in line 6: svirt chooses the owner"],
    [
      "<seclabel relabel='no'/><seclabel model='selinux' relabel='no'/>",
      "[2] in line 6: seclabel for model selinux is already provided",
    ],
    [
      "<seclabel model='dac' relabel='no'/><seclabel model='dac' relabel='no'/>",
      "[2] in line 6: seclabel for model dac is already provided",
    ],
  ])("%s is refused", (xml, message) => {
    expect(() => diskWith(xml)).toThrow(`Cannot read /domain/devices/disk/source/seclabel${message}`);
  });

  test.each([
    "<seclabel type='none'/>",
    `<seclabel type='static' model='selinux'><label>${LABEL}</label></seclabel>`,
  ])("a label is refused where the domain's is %s", (domainLabel) => {
    expect(() => diskWith(`<seclabel><label>${LABEL}</label></seclabel>`, domainLabel)).toThrow(
      "Cannot read /domain/devices/disk/source/seclabel in line 6: label overrides require relabeling to be enabled at the domain level",
    );
    expect(diskWith("<seclabel relabel='no'/>", domainLabel)).toEqual([{ relabel: false }]);
  });
});
