document.querySelector("#answer").textContent = await chrome.runtime.sendMessage("what do you say?");
