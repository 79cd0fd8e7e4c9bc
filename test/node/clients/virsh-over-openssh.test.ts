import { onANode } from "../harness/on-a-node.ts";
import { LIFE_MS, makeClient } from "./client.ts";
import { endOpenSsh, portOfOpenSsh } from "./openssh/on-the-node.ts";
import { liveByVirsh } from "./virsh-life.ts";

const onTheNode = await onANode();
endOpenSsh();
const client = makeClient(portOfOpenSsh);

onTheNode(
  "virsh over OpenSSH: the life of a confined guest, which leaves nothing",
  () => liveByVirsh(client),
  {
    timeoutMs: LIFE_MS,
  },
);
