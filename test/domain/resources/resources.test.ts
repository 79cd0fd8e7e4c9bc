import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../../src/domain/document.ts";
import { domain } from "../../../src/domain/domain.ts";
import { absolutePath } from "../../../src/domain/forms/text.ts";
import { listResources } from "../../../src/domain/resources/resources.ts";
import { parseDocument } from "../../../src/xml/parse-document.ts";
import { type DeclaredPlace, listDeclared, listFilled } from "../../style/declared-places.ts";
import { bytesOf, corpus, domainWith, readCase } from "../corpus.ts";

const resourcesOf = (devices: string) => listResources(parseDomain(domainWith(devices)));

/** Declared paths that QEMU does not open, with the reason. */
const NOT_OPENED: ReadonlyMap<string, string> = new Map([
  ["/domain/devices/emulator", "it is run, by svirt"],
  ["/domain/devices/filesystem[@type='mount']/binary/@path", "it is run, by svirt"],
  ["/domain/blkiotune/device/path", "the host's control group is told its number"],
  ["/domain/resource/partition", "it is the name of a control group"],
]);

function isOpened({ place, path }: DeclaredPlace): boolean {
  const form = place.in === "child" ? place.inside.is === "text" && place.inside.form : place.form;
  return form === absolutePath && !NOT_OPENED.has(path);
}

describe("listResources()", () => {
  test("lists every path that a declared element can carry", async () => {
    const unlisted: string[] = [];
    const tried = new Set<unknown>();
    for (const name of corpus) {
      const bytes = bytesOf(await readCase(name));
      const listed = listPaths(bytes);
      const paths = listFilled(domain, parseDocument(bytes)).filter(isOpened);
      for (const { variant } of paths) tried.add(variant);
      unlisted.push(
        ...paths.filter(({ text = "" }) => !listed.includes(text)).map(({ path }) => `${name} ${path}`),
      );
    }
    expect(unlisted).toEqual([]);
    const declared = listDeclared(domain).filter(isOpened);
    expect(declared.filter(({ variant }) => !tried.has(variant)).map(({ path }) => path)).toEqual([]);
    expect(declared.length).toBeGreaterThanOrEqual(10);
  });

  test("knows how each disk is opened", () => {
    const disk = (more: string) =>
      resourcesOf(`<disk ${more}</disk>`).map((resource) => ({
        ...resource,
        kind: undefined,
        path: undefined,
      }));
    const plain = { source: "file", format: undefined, override: undefined, backing: [], below: "as-probed" };
    expect(disk("><source file='/a'/><target dev='vda'/>")).toMatchObject([
      { ...plain, target: "vda", access: "read-write", shareable: false },
    ]);
    expect(disk("device='cdrom'><source file='/a'/><target dev='sda'/>")).toMatchObject([
      { access: "read-only" },
    ]);
    expect(disk("><source file='/a'/><target dev='vda'/><readonly/>")).toMatchObject([
      { access: "read-only" },
    ]);
    expect(disk("><source file='/a'/><target dev='vda'/><shareable/><readonly/>")).toMatchObject([
      { access: "read-only", shareable: true },
    ]);
    expect(
      disk("type='block'><driver type='qcow2'/><source dev='/dev/a'/><target dev='vda'/>"),
    ).toMatchObject([{ source: "block", format: "qcow2" }]);
    expect(disk("device='cdrom'><target dev='sda'/>")).toEqual([]);
  });

  test("follows the chain that the XML gives, and says where it goes on", () => {
    const [below] = resourcesOf(
      `<disk><driver type='qcow2'/><source file='/top'><seclabel><label>a:b:c:s0</label></seclabel></source>
       <backingStore type='file'><format type='qcow2'/><source file='/mid'><seclabel relabel='no'/></source>
       <backingStore type='block'><format type='raw'/><source dev='/dev/base'/></backingStore></backingStore>
       <target dev='vda'/></disk>`,
    );
    expect(below).toEqual({
      kind: "disk",
      target: "vda",
      path: "/top",
      source: "file",
      format: "qcow2",
      override: { relabel: "yes", label: "a:b:c:s0" },
      access: "read-write",
      shareable: false,
      backing: [
        { path: "/mid", source: "file", format: "qcow2", override: { relabel: "no" } },
        { path: "/dev/base", source: "block", format: "raw", override: undefined },
      ],
      below: "as-probed",
    });
    expect(resourcesOf("<disk><source file='/top'/><backingStore/><target dev='vda'/></disk>")).toMatchObject(
      [{ backing: [], below: "nothing" }],
    );
  });

  test("takes no notice of an override for another model", () => {
    expect(
      resourcesOf(
        "<disk><source file='/a'><seclabel model='dac' relabel='no'/></source><target dev='vda'/></disk>",
      ),
    ).toMatchObject([{ override: undefined }]);
  });

  test("lists a serial port once, though a console names it again", () => {
    const serial =
      "<serial type='file'><source path='/log'/></serial><console type='file'><source path='/log'/></console>";
    const port = {
      kind: "chardev-file",
      device: "serial",
      path: "/log",
      access: "read-write",
      append: false,
    };
    expect(resourcesOf(serial)).toEqual([{ ...port, override: undefined } as never]);
    expect(resourcesOf("<console type='file'><source path='/log'/></console>")).toEqual([
      { ...port, override: undefined } as never,
    ]);
  });

  test("lists sockets with who makes them, and not those in the guest's own folder", () => {
    const devices = `<channel type='unix'><target type='virtio' name='a'/></channel>
      <channel type='unix'><source mode='bind'/><target type='virtio' name='b'/></channel>
      <channel type='unix'><source mode='connect' path='/s'/><target type='virtio' name='c'/></channel>
      <graphics type='vnc'><listen type='socket'/></graphics>
      <graphics type='vnc' socket='/v'><listen type='socket' socket='/v'/></graphics>`;
    expect(resourcesOf(devices)).toEqual([
      {
        kind: "peer-socket",
        place: "/domain/devices/channel[3]",
        path: "/s",
        sharing: "exclusive",
        override: undefined,
      },
      { kind: "vnc-socket", path: "/v", mode: "bind" },
    ]);
  });

  test("lists the source of randomness, also where the XML names none", () => {
    expect(resourcesOf("<rng model='virtio'><backend model='random'/></rng>")).toEqual([
      { kind: "random-device", path: "/dev/random", access: "read-only" },
    ]);
    expect(resourcesOf("<rng model='virtio'><backend model='builtin'/></rng>")).toEqual([]);
  });
});

function listPaths(bytes: Uint8Array): readonly string[] {
  return listResources(parseDomain(bytes)).flatMap((resource) => {
    if (resource.kind !== "disk") return [resource.path];
    return [resource, ...resource.backing].flatMap(({ dataFile, path }) => [path, dataFile?.path ?? path]);
  });
}
