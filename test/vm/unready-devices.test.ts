import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../src/domain/document.ts";
import { refuseUnready } from "../../src/vm/refuse-unready.ts";
import { domainWith } from "../domain/corpus.ts";

const start = (devices: string): void => refuseUnready(parseDomain(domainWith(devices)));

describe("a start", () => {
  test.each([
    ["<sound model='ac97'/>"],
    ["<shmem name='a'><model type='ivshmem-plain'/></shmem>"],
    ["<panic/>"],
    ["<panic model='pvpanic'/>"],
    ["<iommu model='intel'/>"],
    ["<watchdog model='i6300esb' action='dump'/>"],
    ["<crypto model='virtio' type='qemu'><backend model='builtin'/></crypto>"],
    ["<video><model type='virtio'><resolution x='800' y='600'/></model></video>"],
    ["<input type='mouse' bus='virtio'><driver packed='on'/></input>"],
  ])("needs nothing of the host for %s", (devices) => {
    expect(() => start(devices)).not.toThrow();
  });

  test.each([
    ["<filesystem><source dir='/srv'/><target dir='srv'/></filesystem>", "/srv"],
    ["<shmem name='a'><model type='ivshmem-doorbell'/><server/></shmem>", "/var/lib/libvirt/shmem-a-sock"],
    ["<tpm><backend type='emulator'><source type='dir' path='/srv/tpm'/></backend></tpm>", "/srv/tpm"],
    ["<audio id='1' type='file' path='sound.wav'/>", "sound.wav"],
    ["<graphics type='egl-headless'><gl rendernode='/dev/dri/a'/></graphics>", "/dev/dri/a"],
  ])("is refused for the path in %s", (devices, path) => {
    expect(() => start(devices)).toThrow(`svirt does not open ${path} for a guest yet`);
  });

  test.each([
    [
      "<serial type='tcp'><source mode='bind' host='127.0.0.1' service='1'/></serial>",
      "connect guests by tcp",
    ],
    ["<channel type='spicevmc'><target type='virtio'/></channel>", "connect guests by spicevmc"],
    ["<graphics type='spice'/>", "do spice displays"],
    ["<graphics type='vnc' websocket='5700'/>", "open WebSockets"],
    ["<audio id='1' type='pulseaudio'/>", "give guests pulseaudio sound"],
    [
      "<tpm><backend type='external'><source type='unix' mode='connect' path='/run/tpm'/></backend></tpm>",
      "open /run/tpm for a guest",
    ],
    ["<vsock><cid auto='yes'/></vsock>", "open the host's vsock for a guest"],
    ["<video><driver name='vhostuser'/><model type='virtio'/></video>", "start a program that draws"],
    [
      "<rng model='virtio'><backend model='egd' type='tcp'><source mode='connect' host='a' service='1'/></backend></rng>",
      "connect to entropy daemons",
    ],
  ])("is refused for %s", (devices, missing) => {
    expect(() => start(devices)).toThrow(`svirt does not ${missing} yet`);
  });
});
