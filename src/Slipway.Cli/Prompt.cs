using System.Text;

namespace Slipway.Cli;

/// <summary>Asks a person for a secret.</summary>
internal static class Prompt
{
    /// <summary>Whether somebody is there to type.</summary>
    public static bool IsAnswered => !Console.IsInputRedirected;

    /// <summary>What is typed until Enter; nothing of it is shown.</summary>
    /// <exception cref="PromptInterruptedException">Ctrl-C.</exception>
    public static string Secret(string prompt)
    {
        Console.Error.Write(prompt);
        Console.TreatControlCAsInput = true;        // reading a key cannot be interrupted, so Ctrl-C is read as one
        try
        {
            var typed = new StringBuilder();
            while (Console.ReadKey(intercept: true) is var key && key.Key != ConsoleKey.Enter)
            {
                if (key is { Key: ConsoleKey.C, Modifiers: ConsoleModifiers.Control })
                    throw new PromptInterruptedException();
                if (key.Key == ConsoleKey.Backspace && typed.Length > 0)
                    typed.Length--;
                else if (!char.IsControl(key.KeyChar))
                    typed.Append(key.KeyChar);
            }

            return typed.ToString();
        }
        finally
        {
            Console.TreatControlCAsInput = false;
            Console.Error.WriteLine();
        }
    }
}

/// <summary>Ctrl-C at a prompt: the same as the signal at any other moment.</summary>
internal sealed class PromptInterruptedException : OperationCanceledException;
