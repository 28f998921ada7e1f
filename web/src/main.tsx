import { render } from "preact";
import { beginSpeaking } from "./language";
import { Site } from "./site";
import "./styles/base.css";
import "./styles/page.css";
import "./styles/camera.css";
import "./styles/door.css";
import "./styles/account.css";
import "./styles/timeline.css";
import { App } from "./ui/app";
import { uris } from "./uris";

beginSpeaking();
const scheme = location.protocol === "https:" ? "wss" : "ws";
const site = new Site(`${scheme}://${location.host}${uris.WEBSOCKET_PATH}`);

const root = document.getElementById("app");
if (root) render(<App site={site} />, root);
