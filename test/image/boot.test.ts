import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { type Boot, bootMachine, IMAGE, type Machine, type MakeBoot } from "./machine.ts";

/** What the node is told, as an operator would over the network. */
const words = (key: string): string =>
  `console=ttyS0 loglevel=4 security=selinux selinux=1 enforcing=1 net.ifnames=0 svirt.key=${key}`;
const CARD = ["-device", "virtio-net-pci,netdev=net0"];

const direct: MakeBoot = (key) => ({
  words: [
    ...["-kernel", `${IMAGE}/vmlinuz`, "-initrd", `${IMAGE}/initrd`, "-append", words(key)],
    ...["-device", "virtio-net-pci,netdev=net0,romfile="],
  ],
});

/** A guest without disk that runs until it is ended. */
const guest = (
  name: string,
  type: string,
): string => `<domain type='${type}'><name>${name}</name><memory>16384</memory>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator><memballoon model='none'/></devices></domain>`;

const whereBuilt = existsSync(`${IMAGE}/initrd`) ? describe : describe.skip;

whereBuilt("the product's image, booted as a kernel with its initrd", () => {
  let machine: Machine;
  beforeAll(async () => {
    machine = await bootMachine(direct);
  }, 600_000);
  afterAll(async () => await machine.stop());

  test("enforces, with each process in a domain of its own and nothing but the kernel's threads in kernel_t", async () => {
    expect(await machine.run("cat /sys/fs/selinux/enforce")).toBe("1");
    const contexts = parseContexts(await machine.run(LIST_PROCESSES));
    const typesOf = (program: string) => [
      ...new Set(contexts.filter(({ name }) => name === program).map(({ type }) => type)),
    ];
    expect(typesOf("init")).toEqual(["init_t"]);
    expect(typesOf("dropbear")).toContain("sshd_t");
    expect(typesOf("syslogd")).toEqual(["syslogd_t"]);
    expect(typesOf("klogd")).toEqual(["klogd_t"]);
    expect(typesOf("udhcpc")).toEqual(["dhcpc_t"]);
    expect(contexts.filter(({ isKernel, type }) => !isKernel && type === "kernel_t")).toEqual([]);
  });

  test("lets nobody listen on the network but sshd, and denies nothing that it does by itself", async () => {
    const listening = await machine.run(
      "netstat -lntu | awk 'NR > 2 { sub(/.*:/, \"\", $4); print $1, $4 }' | sort -u",
    );
    expect(listening.trim()).toBe("tcp 22");
    expect(await machine.run("dmesg | grep 'avc:  denied' || true")).toBe("");
  });

  test("has a read-only root without setuid programs, and nothing to be run where something can be written", async () => {
    expect(await machine.run("touch /etc/x 2>&1 || true")).toContain("Read-only file system");
    expect(await machine.run("find / -xdev -perm /6000 -type f")).toBe("");
    const writable = (await machine.run("awk '$4 ~ /^rw/ && $3 == \"tmpfs\" { print $2, $4 }' /proc/mounts"))
      .trim()
      .split("\n");
    expect(writable.filter((line) => !/(?:^|,)noexec(?:,|$)/.test(line.split(" ")[1] ?? ""))).toEqual([]);
  });

  test("labels every file of the root as the policy says", async () => {
    const wrong = await machine.run(
      "getfattr -R -P -h -n security.selinux --absolute-names /usr /etc 2>/dev/null | grep -c -e unlabeled_t -e file_t:s0$ || true",
    );
    expect(wrong.trim()).toBe("0");
  });

  test("runs two guests, each in a level of its own, with KVM and without", async () => {
    for (const [name, type] of [
      ["one", "kvm"],
      ["two", "qemu"],
    ] as const) {
      await machine.run(
        `cat >/root/${name}.xml <<'END'\n${guest(name, type)}\nEND\nsvirt create /root/${name}.xml`,
      );
    }
    const list = await machine.run("svirt list --name");
    expect(list.trim().split("\n").toSorted()).toEqual(["one", "two"]);
    const labels = [
      ...(await machine.run("svirt dumpxml one; svirt dumpxml two")).matchAll(/<label>(.*)<\/label>/g),
    ].map(([, label]) => label);
    expect(labels[0]).toMatch(/^system_u:system_r:svirt_t:s0:c\d+,c\d+$/);
    expect(labels[1]).toMatch(/^system_u:system_r:svirt_tcg_t:s0:c\d+,c\d+$/);
    expect(labels[0]?.split(":c")[1]).not.toBe(labels[1]?.split(":c")[1]);
    expect(await machine.run("svirt audit")).toContain("No findings.");
  });

  test("powers off cleanly, guests first", async () => {
    await machine.run("poweroff");
    expect(await machine.ended()).toBe(0);
  });
});

whereBuilt("the product's image boots to SSH", () => {
  const flash = "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd";
  const variables = "if=pflash,format=raw,snapshot=on,file=/usr/share/OVMF/OVMF_VARS_4M.fd";
  const firmware = ["-drive", flash, "-drive", variables];
  const cd = ["-drive", `if=none,id=cd,media=cdrom,readonly=on,format=raw,file=${IMAGE}/svirt-node.iso`];
  const drive = ["-device", "ide-cd,drive=cd,bootindex=0"];
  const boots: readonly (readonly [string, MakeBoot])[] = [
    ["over the network, by iPXE and TFTP", networkBoot],
    ["from a CD in a BIOS machine", (key) => ({ words: [...cd, ...drive, ...CARD, ...keyByFwCfg(key)] })],
    [
      "from a CD in a UEFI machine",
      (key) => ({ words: [...firmware, ...cd, ...drive, ...CARD, ...keyByFwCfg(key)] }),
    ],
  ];

  test.each(boots)(
    "%s",
    async (_name, boot) => {
      const machine = await bootMachine(boot);
      try {
        expect(await machine.run("cat /sys/fs/selinux/enforce; svirt version >/dev/null && echo works")).toBe(
          "1works\n",
        );
      } finally {
        await machine.stop();
      }
    },
    600_000,
  );
});

/** A folder for QEMU's TFTP server, whose boot file is a script for iPXE, the network card's ROM. */
function networkBoot(key: string, folder: string): Boot {
  const tftp = `${folder}/tftp`;
  mkdirSync(tftp);
  for (const name of ["vmlinuz", "initrd"]) symlinkSync(`${IMAGE}/${name}`, `${tftp}/${name}`);
  writeFileSync(
    `${tftp}/boot.ipxe`,
    `#!ipxe\nkernel vmlinuz initrd=initrd ${words(key)}\ninitrd initrd\nboot\n`,
  );
  return { words: ["-boot", "n", ...CARD], network: `,tftp=${tftp},bootfile=boot.ipxe` };
}

/** The CD's command line is everybody's, so the key comes by QEMU's firmware configuration. */
function keyByFwCfg(key: string): readonly string[] {
  return ["-fw_cfg", `name=opt/org.svirt/authorized_keys,string=${key.replace(":", " ")}`];
}

const LIST_PROCESSES = `for p in /proc/[0-9]*; do
  printf '%s %s %s\\n' "$(cat $p/comm | tr ' ' _)" "$(tr -d '\\0' <$p/attr/current)" "$([ -s $p/cmdline ] && echo user || (tr -d '\\0' <$p/cmdline | grep -q . && echo user || echo kernel))"
done 2>/dev/null`;

function parseContexts(text: string) {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [name = "", context = "", kind] = line.split(" ");
      return { name, type: context.split(":")[2] ?? "", isKernel: kind === "kernel" };
    });
}
