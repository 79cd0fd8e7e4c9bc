import { expect, test } from "bun:test";
import { parseDomain } from "../../../../src/domain/document.ts";
import { formatVhostUserDisk } from "../../../../src/qemu/devices/disk/vhost-user.ts";
import { domainWith } from "../../../domain/corpus.ts";

const PLACE = "/domain/devices/disk[1]";
const [disk] = parseDomain(
  domainWith(
    "<disk type='vhostuser'><source type='unix' path='/srv/s'><reconnect enabled='no'/></source><target dev='vda'/></disk>",
  ),
).devices.disks;

test("a vhost-user disk has reconnect-ms only by its path: QEMU refuses it beside a descriptor", () => {
  if (disk === undefined) throw new Error("the document has no disk");
  const about = { id: "virtio-disk0", place: PLACE };
  expect(formatVhostUserDisk(disk, { ...about, launch: undefined })).toEqual([
    "-chardev",
    "socket,id=chr-vu-virtio-disk0,path=/srv/s,reconnect-ms=0",
  ]);
  const launch = {
    monitorFd: 3,
    listeners: [],
    descriptors: [],
    folder: "/run/svirt/guest",
    peers: [{ place: PLACE, name: "peer0" }],
  };
  expect(formatVhostUserDisk(disk, { ...about, launch })).toEqual([
    "-chardev",
    "socket,id=chr-vu-virtio-disk0,fd=peer0",
  ]);
});
