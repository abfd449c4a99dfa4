-- For Neovim 0.11 and newer: put it into ~/.config/nvim/lsp/ and call vim.lsp.enable("pybackend_lint").

local environments = { ".venv", "venv" }

--- The server of the project's own environment, or else the one on the PATH.
local function program(root)
  for _, environment in ipairs(environments) do
    local own = vim.fs.joinpath(root, environment, "bin", "pybackend-lint")
    if vim.fn.executable(own) == 1 then
      return own
    end
  end
  return "pybackend-lint"
end

---@type vim.lsp.Config
return {
  cmd = function(dispatchers, config)
    local root = config and config.root_dir or vim.fn.getcwd()
    return vim.lsp.rpc.start({ program(root), "server" }, dispatchers, { cwd = root })
  end,
  filetypes = { "python" },
  root_dir = function(buffer, start)
    start(
      vim.fs.root(buffer, environments)
        or vim.fs.root(buffer, { "pyproject.toml", "setup.cfg", ".git" })
        or vim.fn.getcwd()
    )
  end,
  settings = { ["pybackend-lint"] = vim.empty_dict() },
}
