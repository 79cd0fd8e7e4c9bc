import { afterAll } from "bun:test";
import { fileURLToPath } from "node:url";
import { node } from "../../harness/on-the-node.ts";
import { isNodeUp } from "../../isolation/on-the-node.ts";

const BUILD = fileURLToPath(new URL("build", import.meta.url));
/**
 * Port on the node. The policy permits sshd no other port than 22, which dropbear has, and those of X
 * servers.
 */
const PORT = 6020;

/**
 * sshd without PAM, which the node does not have, started as at a boot: init's script starts the program,
 * whose type gives the domain. It needs a user and a folder of its own. sshd_config(5)
 */
const START = `
  cd /srv/openssh
  mark() { setfattr -n security.selinux -v system_u:object_r:$1:s0 "$2"; }
  for file in bin/*; do mark sshd_exec_t $file; done
  mark lib_t lib
  for file in lib/*; do mark lib_t $file; done
  mkdir -p -m 755 /run/sshd
  mark sshd_runtime_t /run/sshd
  { cat /etc/passwd; echo sshd:x:101:65534::/run/sshd:/usr/sbin/nologin; } >passwd
  chmod 644 passwd
  mark etc_t passwd
  mount -o bind passwd /etc/passwd
  cat >config
  mark etc_t config
  printf '#!/bin/sh\\nexec /srv/openssh/bin/sshd -f /srv/openssh/config </dev/null >/dev/null 2>&1\\n' >start
  chmod 755 start
  mark initrc_exec_t start
  ./start
  until [ -s /run/sshd.pid ]; do sleep 0.1; done
  tr -d '\\0' <"/proc/$(cat /run/sshd.pid)/attr/current"
`;

const CONFIG = `
Port ${PORT}
ListenAddress 0.0.0.0
HostKey /srv/openssh/host
PidFile /run/sshd.pid
SshdSessionPath /srv/openssh/bin/sshd-session
SshdAuthPath /srv/openssh/bin/sshd-auth
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
`;

const END = `
  kill $(pidof sshd)
  umount /etc/passwd
  rm -rf /srv/openssh /run/sshd
`;

/**
 * Starts OpenSSH's server on the node until the end of the file's tests. Returns a port of this host that
 * leads to it.
 */
export async function portOfOpenSsh(): Promise<number> {
  const built = Bun.spawnSync([BUILD], { stderr: "inherit" });
  if (!built.success) throw new Error("Cannot put together OpenSSH for the node");
  const folder = built.stdout.toString().trim();
  const key = `${folder}/host-${process.pid}`;
  Bun.spawnSync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]);
  const host = await Bun.file(key).text();
  await Promise.all([key, `${key}.pub`].map((file) => Bun.file(file).delete()));
  await node(["ssh", "mkdir -p /srv/openssh && cd /srv/openssh && umask 077 && cat >host"], host);
  await node(["ssh", "setfattr -n security.selinux -v system_u:object_r:sshd_key_t:s0 /srv/openssh/host"]);
  await node(["put", `${folder}/bin`, `${folder}/lib`, "/srv/openssh"]);
  const context = await node(["ssh", START], CONFIG);
  if (!context.includes(":sshd_t:")) throw new Error(`OpenSSH runs in ${context}`);
  return Number(await node(["forward", String(PORT)]));
}

/** Ends OpenSSH's server after the file's tests. */
export function endOpenSsh(): void {
  afterAll(async () => {
    if (await isNodeUp()) await node(["ssh", END]);
  });
}
