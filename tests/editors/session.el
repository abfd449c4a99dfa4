;; What a user does in Emacs: waits for findings, goes to one, picks an action from the menu. -*- lexical-binding: t -*-

(require 'cl-lib)
(require 'eglot)
(require 'json)

(defun wait-for (what condition)
  "Let the server talk until CONDITION holds; fail naming WHAT after a minute."
  (let ((end (+ (float-time) 60)))
    (while (not (funcall condition))
      (when (> (float-time) end) (error "Waited in vain for %s" what))
      (accept-process-output nil 0.05)
      (flymake-start))))

(defun found-with (code)
  "The first finding whose text names CODE."
  (cl-find-if (lambda (found) (string-match-p (regexp-quote code) (flymake-diagnostic-text found)))
              (flymake-diagnostics)))

(let ((code (getenv "CODE")) (action (getenv "ACTION")) titles text)
  (find-file (getenv "OPEN"))
  (call-interactively #'eglot)
  (wait-for "the finding" (lambda () (found-with code)))
  (setq text (flymake-diagnostic-text (found-with code)))
  (goto-char (flymake-diagnostic-beg (found-with code)))
  (cl-letf (((symbol-function 'completing-read)
             (lambda (_prompt choices &rest _)
               (setq titles (all-completions "" choices))
               (cl-find-if (lambda (title) (string-match-p (regexp-quote action) title)) titles))))
    (let ((last-nonmenu-event ?\r)) ; a key, not the mouse
      (call-interactively #'eglot-code-actions)))
  (wait-for "the edit" #'buffer-modified-p)
  (save-buffer) ; Eglot tells of changes when the user pauses, which batch mode never does, and here
  (wait-for "the finding to go" (lambda () (not (found-with code))))
  (princ (json-encode `((text . ,text) (titles . ,(vconcat titles))))))
