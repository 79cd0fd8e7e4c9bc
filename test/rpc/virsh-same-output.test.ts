import { describe, expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { testInTurn } from "../sample.ts";
import { lackOf, makeFolder, onNewNode, TEST_MS } from "./client-node.ts";

const inTurn = testInTurn(4);

const ASIDE = lackOf(["virsh"]);
const folder = makeFolder();
const SVIRT = new URL("../../dist/svirt", import.meta.url).pathname;

writeFileSync(
  join(folder, "vm1.xml"),
  `<domain type='qemu'><name>vm1</name><memory unit='MiB'>64</memory><os><type>hvm</type></os><seclabel type='none'/></domain>`,
);

const SCREEN_AND_CARD = `<graphics type='vnc'/><video><model type='vga'/></video><interface type='user'><mac address='52:54:00:00:00:01'/></interface>`;

writeFileSync(
  join(folder, "filter.xml"),
  "<filter name='mine'><filterref filter='clean-traffic'/><rule action='drop' direction='out'><ip protocol='tcp' dstportstart='25'/></rule></filter>",
);

/** Commands that print the same whoever asks, and for how long the guest has run. */
const SAME = [
  "nwfilter-list",
  "nwfilter-dumpxml clean-traffic",
  "nwfilter-dumpxml allow-arp",
  "node-memory-tune",
  "freepages --all --pagesize 2M",
  "freepages --cellno 0 --pagesize 2048",
  "managedsave-dumpxml vm1",
  "save-image-dumpxml /var/lib/svirt/save/vm1.save",
  "managedsave-edit vm1",
  "save-image-edit /var/lib/svirt/save/vm1.save",
  "managedsave-define vm1 saved.xml --paused",
  "save-image-define /var/lib/svirt/save/vm1.save saved.xml",
  "list --all",
  "dominfo vm1",
  "desc vm1",
  "desc vm1 --title a title",
  "desc vm1 --title",
  "cpu-models x86_64",
  "perf vm1 --disable cmt,mbmt",
  "setmem vm1 32M --config",
  "dommemstat vm1 --period 2 --config",
  "set-lifecycle-action vm1 crash restart --config",
];

/** The same of a guest that runs. */
const SAME_OF_GUEST = [
  "inject-nmi vm1",
  "send-key vm1 KEY_A",
  "domdisplay vm1",
  "screenshot vm1 picture",
  "domif-getlink vm1 52:54:00:00:00:01",
  "managedsave-remove vm1",
];

describe.skipIf(ASIDE !== "")(`svirt's commands print what stock virsh prints${ASIDE}`, () => {
  inTurn(
    "byte for byte",
    () => {
      const both = (line: string): string =>
        `export EDITOR=true; virsh ${line} >virsh.out && ${SVIRT} ${line} >svirt.out && cmp virsh.out svirt.out`;
      const [, ...compared] = onNewNode(folder, [
        "virsh define vm1.xml; virsh start vm1; virsh managedsave vm1; virsh managedsave-dumpxml vm1 >saved.xml",
        ...SAME.map(both),
        `virsh managedsave-remove vm1; sed "s#</os>#&<devices>${SCREEN_AND_CARD}</devices>#" vm1.xml >screen.xml; virsh define screen.xml; virsh start vm1`,
        ...SAME_OF_GUEST.map(both),
        "virsh destroy vm1",
      ]);
      const lines = [...SAME, "the guest's start", ...SAME_OF_GUEST, "its end"];
      const differ = compared.map(({ code, err }, at) => [lines[at], code, err]);
      expect(differ).toEqual(lines.map((line) => [line, 0, ""]));
    },
    TEST_MS,
  );

  inTurn(
    "in lists of domains, selected and with titles",
    () => {
      const vm = (name: string) => `sed 's/vm1/${name}/' vm1.xml >${name}.xml; virsh define ${name}.xml`;
      const groups = [
        ...[
          "--persistent",
          "--transient",
          "--autostart",
          "--no-autostart",
          "--with-managed-save",
          "--without-managed-save",
        ],
        ...[
          "--with-snapshot",
          "--without-snapshot",
          "--state-running",
          "--state-paused",
          "--state-shutoff",
          "--state-other",
        ],
        ...[
          "--state-running --state-shutoff --autostart",
          "--title",
          "--managed-save",
          "--title --managed-save --table",
        ],
      ];
      const lines = groups.flatMap((options) => [
        `list ${options}`,
        `list --all ${options}`,
        `list --inactive ${options}`,
      ]);
      const compared = onNewNode(folder, [
        ["virsh define vm1.xml", vm("vm2"), vm("vm3"), vm("vm4")].join("; "),
        "for vm in vm1 vm2 vm3; do virsh start $vm; done; virsh suspend vm2; virsh managedsave vm3; virsh undefine vm1; virsh autostart vm2",
        "virsh desc vm4 --title a title --config; virsh snapshot-create-as vm4 one --disk-only --diskspec none",
        ...lines.map(
          (line) =>
            `virsh ${line} >virsh.out && ${SVIRT} ${line} >svirt.out 2>svirt.err && cmp virsh.out svirt.out`,
        ),
        "virsh list --all --title --managed-save",
        "for vm in vm1 vm2; do virsh destroy $vm; done",
      ]);
      expect(compared.slice(3, -2).map(({ code, out }, at) => [lines[at], code, out])).toEqual(
        lines.map((line) => [line, 0, ""]),
      );
      const whole = compared.at(-2)?.out ?? "";
      for (const row of [/vm1 +running/, /vm2 +paused/, /vm3 +saved/, /vm4 +shut off +a title/])
        expect(whole).toMatch(row);
    },
    TEST_MS,
  );

  inTurn(
    "about a filter that is defined, shown, edited and undefined",
    () => {
      const same = (line: string, between = "true") =>
        `export EDITOR=true; virsh ${line} >virsh.out && ${between} && ${SVIRT} ${line} >svirt.out && cmp virsh.out svirt.out`;
      const compared = onNewNode(folder, [
        same("nwfilter-define filter.xml"),
        same("nwfilter-define filter.xml --validate"),
        same("nwfilter-dumpxml mine"),
        same("nwfilter-edit mine"),
        same("nwfilter-list"),
        same("nwfilter-undefine mine", `${SVIRT} nwfilter-define filter.xml >/dev/null`),
        "virsh nwfilter-dumpxml mine",
      ]);
      const last = compared.pop();
      expect(compared).toEqual(compared.map(() => ({ code: 0, out: "", err: "" })));
      expect(last?.err).toContain("failed to get nwfilter 'mine'");
    },
    TEST_MS,
  );

  inTurn(
    "and the same layout of times",
    () => {
      const [, ...lines] = onNewNode(folder, [
        "virsh define vm1.xml; virsh start vm1",
        ...["virsh cpu-stats vm1 --total", `${SVIRT} cpu-stats vm1 --total`].map(
          (line) => `${line} | tr 0-9 N`,
        ),
        ...["virsh dompmwakeup vm1", `${SVIRT} dompmwakeup vm1`, "virsh destroy vm1"],
      ]);
      const [theirs, ours, virshWakes, svirtWakes] = lines;
      expect(ours).toEqual(theirs ?? { code: -1, out: "", err: "" });
      expect(ours?.out).toContain("cpu_time");
      const why = "wake-up from suspend is not supported by this guest";
      expect([virshWakes?.err, svirtWakes?.err]).toEqual([
        expect.stringContaining(why),
        expect.stringContaining(why),
      ]);
    },
    TEST_MS,
  );
});
