/* Passkeys: a form with data-passkey="create | get | login" asks the browser for a credential and sends it in its hidden field.
   The buttons are hidden until this runs; without script, or without a device that can, the code from the app is there. */
const web = window.webauthnJSON

function optionsOf (form) {
  const found = document.getElementById(form.dataset.options)
  const data = JSON.parse(found.textContent)
  return data.creation_options || data.request_options
}

async function fetched (form) {
  const answer = await fetch(form.action, { headers: { Accept: 'application/json' } })
  if (!answer.ok) throw new Error(`passkey options: ${answer.status}`)
  return (await answer.json()).request_options
}

function withoutPassword (form, options) {
  const box = form.elements.namedItem('passwordless')
  const selection = options.publicKey.authenticatorSelection
  const wanted = Boolean(box && box.checked)
  selection.residentKey = wanted ? 'required' : 'discouraged'
  selection.requireResidentKey = wanted
  if (wanted) selection.userVerification = 'required'
  return options
}

async function credentialFor (form) {
  if (form.dataset.passkey === 'create') return web.create(withoutPassword(form, optionsOf(form)))
  return web.get(form.dataset.passkey === 'login' ? await fetched(form) : optionsOf(form))
}

async function send (event) {
  event.preventDefault()
  const form = event.currentTarget
  const said = document.querySelector('[data-passkey-error]')
  if (said) said.hidden = true
  try {
    form.elements.namedItem('credential').value = JSON.stringify(await credentialFor(form))
  } catch (refused) {
    if (said) said.hidden = false
    return
  }
  form.submit()
}

if (web && window.PublicKeyCredential) {
  for (const form of document.querySelectorAll('form[data-passkey]')) {
    form.querySelector('button[hidden]').hidden = false
    form.addEventListener('submit', send)
  }
}
