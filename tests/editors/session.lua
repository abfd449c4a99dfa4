-- What a user does in Neovim: waits for findings, goes to one, picks an action from the menu. The wish comes
-- in WISH and what was seen goes to the file REPORT, both as JSON.

local wish = vim.fn.json_decode(vim.env.WISH)
local seen = { waited = {} }
local patience = 60000

local function wait(what, condition)
  seen.waited[what] = vim.wait(patience, condition, 20) == true
  return seen.waited[what]
end

local function findings()
  local found = {}
  for _, diagnostic in ipairs(vim.diagnostic.get(0)) do
    local lsp = diagnostic.user_data and diagnostic.user_data.lsp or {}
    table.insert(found, {
      code = diagnostic.code or lsp.code,
      row = diagnostic.lnum + 1,
      column = diagnostic.col + 1,
      message = diagnostic.message,
      source = diagnostic.source,
    })
  end
  return found
end

local function finding(code)
  for _, found in ipairs(findings()) do
    if found.code == code then
      return found
    end
  end
end

vim.ui.select = function(items, options, choose)
  seen.titles = {}
  local chosen
  for _, item in ipairs(items) do
    local title = options.format_item(item)
    table.insert(seen.titles, title)
    if chosen == nil and title:find(wish.action, 1, true) then
      chosen = item
    end
  end
  choose(chosen)
end

if wait("finding", function() return finding(wish.code) ~= nil end) then
  seen.findings = findings()
  local place = finding(wish.code)
  vim.api.nvim_win_set_cursor(0, { place.row, place.column - 1 })
  local before = vim.api.nvim_buf_get_changedtick(0)
  vim.lsp.buf.code_action()
  wait("action", function() return vim.api.nvim_buf_get_changedtick(0) ~= before end)
  wait("gone", function() return finding(wish.code) == nil end)
  seen.lines = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  seen.after = findings()
  seen.server = (vim.lsp.get_clients or vim.lsp.get_active_clients)()[1].name
end

seen.messages = vim.fn.execute("messages")
vim.fn.writefile({ vim.fn.json_encode(seen) }, vim.env.REPORT)
vim.cmd("qall!")
