"use strict";
"use strict";
const BLOCK = 960;
class Capture extends AudioWorkletProcessor {
	block = new Float32Array(BLOCK);
	filled = 0;
	process(inputs) {
		const samples = inputs[0]?.[0];
		if (!samples) {
			this.filled = 0;
			return true;
		}
		for (let place = 0; place < samples.length; place += 1) {
			this.block[this.filled] = samples[place];
			this.filled += 1;
			if (this.filled === BLOCK) {
				const start = currentFrame + place + 1 - BLOCK;
				this.port.postMessage({ samples: this.block, start, wall: Date.now() }, [this.block.buffer]);
				this.block = new Float32Array(BLOCK);
				this.filled = 0;
			}
		}
		return true;
	}
}
registerProcessor("capture", Capture);
