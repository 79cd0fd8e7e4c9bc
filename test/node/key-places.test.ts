import { expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";

const onTheNode = await onANode();

/** Files that other users or programs run or trust. A missing folder of one is created if possible. */
const PLACES = [
  "/root/.profile",
  "/root/.ssh/authorized_keys",
  "/root/.config/autostart/x.desktop",
  "/home/u/.bashrc",
  "/etc/cron.d/x",
  "/etc/profile.d/x.sh",
  "/etc/udev/rules.d/9-x.rules",
  "/etc/systemd/system/x.service",
  "/var/spool/cron/crontabs/root",
  "/var/lib/cloud/scripts/per-boot/x",
  "/var/www/html/index.php",
  "/var/x",
  "/usr/local/bin/x",
  "/opt/app/run",
  "/boot/x",
  "/lib/modules/x.ko",
  "/run/x",
  "/x",
];

/** Places that are tried in each way: an emulated node takes seconds for each. */
const EVERY_WAY = ["/root/.profile", "/etc/cron.d/x", "/var/x"];

/**
 * A key that may run svirt alone: `as_key` requests a command as its client. `state` prints a place, for
 * comparison.
 */
const KEY = `
  as_key() { SSH_ORIGINAL_COMMAND="svirt $*" svirt shell; }
  serial() { printf "<serial type='file'><source path='%s'/></serial>" "$1"; }
  state() { ls -ldZ "$1" 2>&1; cat "$1" 2>&1; }
  attempt() { xml life-key "$2" >$work/key.xml; note "$1" as_key create - <$work/key.xml; svirt destroy life-key >/dev/null 2>&1; }
  trap 'svirt destroy life-key >/dev/null 2>&1; rm -rf "$work" /root/images /root/link /root/shared; rm -f /root/.profile.was' EXIT
`;

onTheNode(
  "a key that may run svirt alone writes nothing that somebody else runs or trusts",
  async () => {
    const notes = await onNode(`
      ${KEY}
      [ ! -e /root/.profile ] || cp -p /root/.profile /root/.profile.was
      echo umask 022 >/root/.profile
      mkdir -p /root/.ssh /root/.config/autostart
      for path in ${PLACES.join(" ")}; do
        mkdir -p "\${path%/*}" 2>/dev/null
        state "$path" >$work/before
        attempt "serial:$path" "$(serial "$path")"
        case " ${EVERY_WAY.join(" ")} " in *" $path "*)
          attempt "log:$path" "<serial type='pty'><log file='$path' append='on'/></serial>"
          attempt "disk:$path" "$(disk "$path")"
          note "volume:$path" as_key vol-create "\${path%/*}" - <<VOLUME
<volume><name>\${path##*/}</name><capacity unit='MiB'>1</capacity><target/></volume>
VOLUME
          note "label:$path" as_key label set "$path" system_u:object_r:virt_image_t:s0
        esac
        state "$path" >$work/after
        note "same:$path" cmp $work/before $work/after
      done
      ln -s /root $here/to-home; ln -s /root/.profile $here/to-profile
      attempt link "$(serial $here/to-profile)"
      attempt folder "$(serial $here/to-home/.profile)"
      attempt fresh "$(serial $here/to-home/.bash_login)"
      note made ls /root/.bash_login
      xml life-key "$(disk $here/boot/halt)" >$work/key.xml
      note start as_key create - <$work/key.xml
      for path in /root/.profile /root/.bash_login $here/to-home/.bash_login $here/../../root/.bash_login; do
        note "save:$path" as_key save life-key $path
        note "dump:$path" as_key dump life-key $path
      done
      note profile cat /root/.profile
      note still ls /root/.bash_login
      note elsewhere as_key dump life-key $here/core
      rm -f /root/.profile; [ ! -e /root/.profile.was ] || mv /root/.profile.was /root/.profile
    `);
    for (const path of PLACES) {
      for (const how of EVERY_WAY.includes(path)
        ? ["serial", "log", "disk", "volume", "label"]
        : ["serial"]) {
        const said = noteOf(notes, `${how}:${path}`);
        expect({ how, path, isRefused: said.code !== 0 }).toEqual({ how, path, isRefused: true });
      }
      expect({ path, ...noteOf(notes, `same:${path}`) }).toMatchObject({ path, code: 0, out: "" });
    }
    for (const name of ["serial:/root/.profile", "serial:/var/x", "link", "folder", "fresh"])
      expect({ name, ...noteOf(notes, name) }).toMatchObject({
        name,
        code: 5,
        err: expect.stringContaining("Cannot let a guest write /"),
      });
    expect(noteOf(notes, "made").code).not.toBe(0);
    expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
    for (const name of [...notes.keys()].filter((known) => /^(?:save|dump):/.test(known)))
      expect({ name, ...noteOf(notes, name) }).toMatchObject({ name, code: 5 });
    expect(outOf(notes, "profile")).toBe("umask 022");
    expect(noteOf(notes, "still").code).not.toBe(0);
    expect(noteOf(notes, "elsewhere")).toMatchObject({ code: 0 });
  },
  // svirt's domain may not read some of the places.
  { denied: /comm="svirt"/, timeoutMs: 600_000 },
);

onTheNode(
  "a hard link to what somebody else runs is refused, and a folder that is labelled for images is not",
  async () => {
    const notes = await onNode(`
    ${KEY}
    mkdir -p /root/images /root/shared
    echo umask 022 >/root/link
    ln /root/link /root/images/link
    setfattr -n security.selinux -v system_u:object_r:virt_image_t:s0 /root/images
    attempt hard "$(serial /root/images/link)"
    note same cat /root/link
    attempt labelled "$(serial /root/images/log)"
    note made label_of /root/images/log
    attempt share "<filesystem type='mount' accessmode='mapped'><source dir='/root/shared'/><target dir='t'/></filesystem>"
    true
  `);
    expect(noteOf(notes, "hard")).toMatchObject({ code: 5, err: expect.stringContaining("Run: restorecon") });
    expect(outOf(notes, "same")).toBe("umask 022");
    expect(noteOf(notes, "labelled")).toMatchObject({ code: 0, err: "" });
    expect(outOf(notes, "made")).toContain(":virt_image_t:");
    expect(noteOf(notes, "share")).toMatchObject({ code: 5 });
  },
);

onTheNode("a disk that the host has mounted is not written by a guest", async () => {
  const notes = await onNode(`
    ${KEY}
    note root awk '{ for (at = 1; at < NF; at++) if ($at == "-" && $(at + 2) ~ "^/dev/vd") { print $(at + 2); exit } }' /proc/self/mountinfo
    device=$(cat $work/out)
    attempt root-disk "<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='$device'/><target dev='vda' bus='virtio'/></disk>"
    note label label_of $device
    true
  `);
  expect(noteOf(notes, "root-disk")).toMatchObject({
    code: 4,
    err: expect.stringContaining(`Cannot let a guest write ${outOf(notes, "root")}: the host uses it`),
  });
  expect(outOf(notes, "label")).toContain("fixed_disk_device_t");
});
