// What the place brings where this runs; a build for another place takes another file.

export * from "./platform/browser.js";
