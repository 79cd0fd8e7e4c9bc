import { expect, test } from "bun:test";
import { limitFolder } from "../../../src/plan/decide/folder-limit.ts";

const FOLDER = "/run/svirt/11111111-2222-4333-8444-000000000001/guest";
const MIB = 1024 * 1024;

const object = (id: string, path: string, sizeMiB: number): string[] => [
  "-object",
  JSON.stringify({ "qom-type": "memory-backend-file", id, "mem-path": path, size: sizeMiB * MIB }),
];

test.each([
  ["nothing but its own", [], 64],
  ["memory without a file", ["-m", "size=1048576k"], 64],
  ["memory in one file", object("pc.ram", `${FOLDER}/pc.ram`, 512), 576],
  ["cells in files", [...object("a", `${FOLDER}/a`, 100), ...object("b", `${FOLDER}/b`, 28)], 192],
  ["a file of the host's", object("nvdimm0", "/var/lib/images/nvdimm", 512), 64],
  ["a folder whose name begins like its own", object("a", `${FOLDER}2/a`, 512), 64],
  ["all memory in one file", ["-m", "size=262144k,maxmem=1048576k", "-mem-path", `${FOLDER}/ram`], 320],
  ["all memory elsewhere", ["-m", "size=262144k", "-mem-path", "/dev/hugepages2M/libvirt/qemu/-1-vm1"], 64],
])("a guest's folder takes %s", (_, words, sizeMiB) => {
  expect(limitFolder({ words, workFolder: FOLDER })).toEqual({ bytes: sizeMiB * MIB, inodes: 1024 });
});
