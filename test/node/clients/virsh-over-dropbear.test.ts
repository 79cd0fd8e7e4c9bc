import { onANode } from "../harness/on-a-node.ts";
import { LIFE_MS, makeClient, portOfDropbear } from "./client.ts";
import { liveByVirsh } from "./virsh-life.ts";

const onTheNode = await onANode();
const client = makeClient(portOfDropbear);

onTheNode(
  "virsh over dropbear: the life of a confined guest, which leaves nothing",
  () => liveByVirsh(client),
  {
    timeoutMs: LIFE_MS,
  },
);
