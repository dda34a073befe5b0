// An engine's worker.

import { scope } from "./platform.js";
import { Room } from "./room.js";

const room = new Room((message, moved) => scope.tell(message, moved));
scope.listen((message) => room.hear(message));
scope.accidents((thrown) => room.crash(thrown));
