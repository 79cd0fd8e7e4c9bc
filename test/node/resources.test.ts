import { expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";

const onTheNode = await onANode();

const CONTENT = "system_u:object_r:virt_content_t:s0";

/** Returns the context of a guest's process, from the label of its images. */
const processOf = (image: string): string =>
  image.replace("system_u:object_r:svirt_image_t", "system_u:system_r:svirt_tcg_t");

/** Firmware that halts: QEMU starts 16 bytes below its end. */
const FIRMWARE = `
  blank() { head -c "$1" /dev/zero | tr '\\0' '\\364'; }
  loader() { printf "<loader readonly='yes' type='pflash'>%s</loader>" "$1"; }
  blank 65536 >$here/code.fd
  blank 65536 >$here/template.fd
`;

onTheNode(
  "UEFI: code is content, variables are the guest's own, made from the template, and kept",
  async () => {
    const notes = await onNode(`${FIRMWARE}
    nvram() { printf "<nvram template='%s'>%s</nvram>" $here/template.fd "$1"; }
    os=$(loader $here/code.fd)$(nvram $here/vars.fd) guest life-a
    note before labels $here/code.fd
    note start svirt start life-a
    note image label_in_xml life-a imagelabel
    note context context_of $(pid_of life-a)
    note code label_of $here/code.fd
    note vars label_of $here/vars.fd
    note words tr '\\0' '\\n' </proc/$(pid_of life-a)/cmdline
    note audit svirt audit
    svirt destroy life-a >/dev/null
    note after labels $here/code.fd
    note kept labels $here/vars.fd
    note same cmp $here/vars.fd $here/template.fd
    note mode stat -c '%a %u' $here/vars.fd
    note left left life-a
    os="$(loader $here/code.fd)<nvram template='$here/template.fd'/>" guest life-b
    note default svirt start life-b
    note there ls /var/lib/libvirt/qemu/nvram
    svirt destroy life-b >/dev/null
    rm -f /var/lib/libvirt/qemu/nvram/life-b_VARS.fd
  `);
    const image = outOf(notes, "image");
    expect(noteOf(notes, "start").code).toBe(0);
    expect(outOf(notes, "context")).toBe(processOf(image));
    expect(outOf(notes, "vars")).toBe(image);
    expect(outOf(notes, "code")).toBe(CONTENT);
    expect(outOf(notes, "words")).not.toContain("/srv/lifecycle");
    expect(noteOf(notes, "audit").code).toBe(0);
    expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
    expect(outOf(notes, "kept")).not.toContain("svirt_image_t");
    expect(outOf(notes, "kept")).not.toContain("trusted.");
    expect(noteOf(notes, "same").code).toBe(0);
    expect(outOf(notes, "mode")).toBe("600 0");
    expect(noteOf(notes, "left").out).toBe("");
    expect(noteOf(notes, "default").code).toBe(0);
    expect(outOf(notes, "there")).toContain("life-b_VARS.fd");
  },
);

onTheNode("a ROM that the host has installed keeps its label", async () => {
  const notes = await onNode(`
    rom=/usr/share/seabios/bios-256k.bin
    os="<loader type='rom'>$rom</loader>" guest life-a
    note before labels $rom
    note start svirt start life-a
    note during labels $rom
    svirt destroy life-a >/dev/null
    cp $rom $here/rom.bin && chmod 600 $here/rom.bin
    os="<loader type='rom'>$here/rom.bin</loader>" guest life-b
    note unreadable svirt start life-b
    chmod 644 $here/rom.bin
    note readable svirt start life-b
    note rom label_of $here/rom.bin
    svirt destroy life-b >/dev/null
  `);
  expect(noteOf(notes, "start").code).toBe(0);
  expect(outOf(notes, "during")).toBe(outOf(notes, "before"));
  expect(noteOf(notes, "unreadable").code).toBe(5);
  expect(noteOf(notes, "unreadable").err).toContain("chmod o+r");
  expect(noteOf(notes, "readable").code).toBe(0);
  expect(outOf(notes, "rom")).toBe(CONTENT);
});

onTheNode(
  "serial ports on a device, a pipe, with a log, and on a socket elsewhere: each the guest's own",
  async () => {
    const notes = await onNode(`
    mkfifo $here/pipe.in $here/pipe.out
    port() { printf "<serial type='%s'><source %s/>%s</serial>" "$1" "$2" "$3"; }
    sock=/run/life-a.sock
    guest life-a "$(port dev "path='/dev/ttyS1'")$(port pipe "path='$here/pipe'")$(
      port unix "mode='bind' path='$sock'")<serial type='pty'><log file='$here/log'/></serial>"
    all="/dev/ttyS1 $here/pipe.in $here/pipe.out"
    note before labels $all
    note start svirt start life-a
    note image label_in_xml life-a imagelabel
    note context context_of $(pid_of life-a)
    for file in $all $sock $here/log; do label_of $file && echo; done >$work/all
    note labels cat $work/all
    note mode stat -c '%a %u %F' $sock
    note audit svirt audit
    guest life-b "$(port unix "mode='bind' path='$sock'")"
    note second svirt start life-b
    note still label_of $sock
    svirt destroy life-a >/dev/null
    note after labels $all
    note log labels $here/log
    note socket ls $sock
    note left left life-a
  `);
    expect(noteOf(notes, "start")).toMatchObject({ code: 0, err: "" });
    const image = outOf(notes, "image");
    expect(outOf(notes, "context")).toBe(processOf(image));
    expect(outOf(notes, "labels").split("\n")).toEqual([image, image, image, image, image]);
    expect(outOf(notes, "mode")).toBe("600 0 socket");
    expect(noteOf(notes, "audit").code).toBe(0);
    expect(noteOf(notes, "second").code).toBe(5);
    expect(outOf(notes, "still")).toBe(image);
    expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
    expect(outOf(notes, "log")).not.toContain("svirt_image_t");
    expect(noteOf(notes, "socket").code).not.toBe(0);
    expect(noteOf(notes, "left").out).toBe("");
  },
);

onTheNode(
  "memory that is a file lies in the guest's own folder; memory without a name needs no file",
  async () => {
    const notes = await onNode(`
    guest life-a '' "<memoryBacking><source type='file'/><access mode='shared'/></memoryBacking>"
    note file svirt start life-a
    note image label_in_xml life-a imagelabel
    note label label_of /run/svirt/$(uuid_of life-a)/guest/pc.ram
    svirt destroy life-a >/dev/null
    note left left life-a
    guest life-b '' "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>"
    note memfd svirt start life-b
    svirt destroy life-b >/dev/null
  `);
    expect(noteOf(notes, "file")).toMatchObject({ code: 0, err: "" });
    expect(outOf(notes, "label")).toBe(outOf(notes, "image"));
    expect(noteOf(notes, "left").out).toBe("");
    expect(noteOf(notes, "memfd")).toMatchObject({ code: 0, err: "" });
  },
);

onTheNode("random bytes come from either of the kernel's devices", async () => {
  const notes = await onNode(`
    for device in /dev/random /dev/urandom; do
      guest life-a "<rng model='virtio'><backend model='random'>$device</backend></rng>"
      note $device svirt start life-a
      svirt destroy life-a >/dev/null
    done
  `);
  for (const device of ["/dev/random", "/dev/urandom"])
    expect(noteOf(notes, device)).toMatchObject({ code: 0, err: "" });
});
