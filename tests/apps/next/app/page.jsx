"use client";

import { useEffect } from "react";
import { pipeline } from "trireme";
import { app } from "../../small/app.mjs";
import { show } from "../../small/show.mjs";

export default function Page() {
  useEffect(() => {
    show(app(pipeline, {}, { device: "wasm" }));
  }, []);
  return <output id="answer" />;
}
