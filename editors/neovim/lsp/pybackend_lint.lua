-- For Neovim 0.11 and newer: ~/.config/nvim/lsp/pybackend_lint.lua and vim.lsp.enable("pybackend_lint").

--- The project's own server, or else the one on the PATH.
local function program(root)
  for _, environment in ipairs({ ".venv", "venv" }) do
    local own = (root or vim.fn.getcwd()) .. "/" .. environment .. "/bin/pybackend-lint"
    if vim.fn.executable(own) == 1 then
      return own
    end
  end
  return "pybackend-lint"
end

return {
  filetypes = { "python" },
  root_dir = function(buffer, start)
    start(vim.fs.root(buffer, { ".venv", "venv" }) or vim.fs.root(buffer, { "pyproject.toml", ".git" }))
  end,
  cmd = { "pybackend-lint", "server" },
  before_init = function() end,
  settings = { ["pybackend-lint"] = vim.empty_dict() },
}
