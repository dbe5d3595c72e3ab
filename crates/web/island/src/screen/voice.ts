// Saying something aloud, by a voice that the device has itself: no word leaves it.

/** The voice for a language, where the device has one. Browsers load their list late. */
async function localVoice(lang: string): Promise<SpeechSynthesisVoice | null> {
  if (!("speechSynthesis" in window)) return null;
  const find = () => speechSynthesis.getVoices().find((voice) => voice.localService && voice.lang.toLowerCase().startsWith(lang)) ?? null;
  const found = find();
  if (found || speechSynthesis.getVoices().length > 0) return found;
  await new Promise<void>((resolve) => {
    speechSynthesis.addEventListener("voiceschanged", () => resolve(), { once: true });
    setTimeout(resolve, 1_000);
  });
  return find();
}

export async function canSpeak(lang: string): Promise<boolean> {
  return (await localVoice(lang)) !== null;
}

/** Says it; false where there is no such voice. */
export async function speak(text: string, lang: string): Promise<boolean> {
  const voice = await localVoice(lang);
  if (!voice) return false;
  const utterance = new SpeechSynthesisUtterance(text);
  utterance.voice = voice;
  utterance.lang = voice.lang;
  speechSynthesis.speak(utterance);
  return true;
}

/** Plays a file of sound to its end; false where the browser does not. */
export async function playSound(file: ArrayBuffer): Promise<boolean> {
  const context = new AudioContext();
  try {
    const source = context.createBufferSource();
    source.buffer = await context.decodeAudioData(file);
    source.connect(context.destination);
    // Some browsers let it wait for a tap, without saying so.
    await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, 2_000))]);
    if (context.state !== "running") return false;
    const ended = new Promise((resolve) => (source.onended = resolve));
    source.start();
    await ended;
    return true;
  } catch {
    return false;
  } finally {
    void context.close();
  }
}

/** Stops what is being said; false where nothing was. */
export function hush(): boolean {
  const wasSpeaking = "speechSynthesis" in window && speechSynthesis.speaking;
  if (wasSpeaking) speechSynthesis.cancel();
  return wasSpeaking;
}
