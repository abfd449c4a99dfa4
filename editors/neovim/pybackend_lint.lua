-- For Neovim 0.7 to 0.10: put it into ~/.config/nvim/lua/ and call require("pybackend_lint").setup().

local M = {}

--- The nearest folder above a file in which one of some names exists, or nil.
local function above(file, names)
  local folder = vim.fn.fnamemodify(file, ":p:h")
  while true do
    for _, name in ipairs(names) do
      if vim.loop.fs_stat(folder .. "/" .. name) then
        return folder
      end
    end
    local parent = vim.fn.fnamemodify(folder, ":h")
    if parent == folder then
      return nil
    end
    folder = parent
  end
end

--- The server of the project's own environment, or else the one on the PATH.
local function program(root)
  for _, environment in ipairs({ ".venv", "venv" }) do
    local own = root .. "/" .. environment .. "/bin/pybackend-lint"
    if vim.fn.executable(own) == 1 then
      return own
    end
  end
  return "pybackend-lint"
end

local clients = {}

local function attach(buffer, settings)
  local file = vim.api.nvim_buf_get_name(buffer)
  local root = above(file, { ".venv", "venv" })
    or above(file, { "pyproject.toml", "setup.cfg", ".git" })
    or vim.fn.getcwd()
  if clients[root] == nil or vim.lsp.get_client_by_id(clients[root]) == nil then
    clients[root] = vim.lsp.start_client({
      name = "pybackend_lint",
      cmd = { program(root), "server" },
      cmd_cwd = root,
      root_dir = root,
      settings = { ["pybackend-lint"] = settings },
      init_options = settings,
    })
  end
  if clients[root] ~= nil then
    vim.lsp.buf_attach_client(buffer, clients[root])
  end
end

--- Starts the server for Python files. `settings` are those of [tool.pybackend-lint].
function M.setup(settings)
  settings = settings or vim.empty_dict()
  vim.api.nvim_create_autocmd("FileType", {
    pattern = "python",
    callback = function(event)
      if vim.bo[event.buf].buftype == "" then
        attach(event.buf, settings)
      end
    end,
  })
end

return M
