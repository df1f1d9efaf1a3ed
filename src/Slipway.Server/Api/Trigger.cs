using Slipway.Documents.Specs;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Server.Api;

/// <summary>What a retraining rule may start, set up by the server's operator under a name that plans know it by.</summary>
/// <param name="Name">As plans have it.</param>
/// <param name="Command">An executable file, absolute and without links; null for a webhook.</param>
/// <param name="Webhook">Name of the webhook that gets the event; null for a command.</param>
public sealed record Trigger(string Name, string? Command, string? Webhook)
{
    private const string WebhookPrefix = "webhook:";

    private const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>The command's PATH and HOME: beside what it is told of the event it gets nothing of the server's environment.</summary>
    public string Path { get; init; } = "/usr/local/bin:/usr/bin:/bin";

    /// <inheritdoc cref="Path"/>
    public string Home { get; init; } = "/";

    /// <summary>Reads <c>NAME=FILE</c> or <c>NAME=webhook:NAME</c>. Whether the webhook is there is known once the server runs.</summary>
    /// <exception cref="SlipwayException">Neither of both, or a file that others may change (exit 2); no such file, or none that can be run (exit 3).</exception>
    public static Trigger Parse(string text)
    {
        var (name, what) = text.IndexOf('=') is >= 0 and var at ? (text[..at], text[(at + 1)..]) : (text, "");
        if (what.Length == 0 || name.Length == 0)
            throw Unusable($"'{text}' is no trigger", "write NAME=FILE, such as retrain=/opt/slipway/retrain.sh, or NAME=webhook:NAME");
        if (!Spec.IsName(name))
            throw Unusable($"the trigger's name is '{name}', allowed is a lower-case letter, then up to 62 lower-case letters, digits, - and _: plans name it", $"write NAME={what}");
        return what.StartsWith(WebhookPrefix, StringComparison.Ordinal) ? new(name, null, WebhookOf(name, what[WebhookPrefix.Length..])) : new(name, CommandOf(name, what), null);
    }

    private static string WebhookOf(string name, string webhook) => WebhookName.IsValid(webhook) ? webhook
        : throw Unusable($"trigger {name} names the webhook '{webhook}', allowed are {WebhookName.Allowed}", "`slipway webhooks list` lists them");

    private static string CommandOf(string name, string file)
    {
        if (!System.IO.Path.IsPathRooted(file))
            throw Unusable($"trigger {name} is '{file}', which depends on where the server is started", "write the command's absolute path; its arguments belong into a script");
        if (FileStamp.Of(file) is not { } stamp)
            throw new SlipwayException(ExitCode.NotThere, new Fault("trigger-missing", $"the command of trigger {name} is not there, or this user may not see it", file));
        if (stamp.Kind != FileKind.File)
            throw Unusable($"the command of trigger {name} is no file", $"name an executable file: {name}=FILE");
        if (SharedPath.FirstChangeable(file, out var real) is { } changeable)
            throw Unusable($"others than this user and root may change {changeable}, and with it what trigger {name} runs as the server: {file}", $"chmod go-w {changeable}, or let its owner be this user or root");
        if ((File.GetUnixFileMode(file) & Executable) == 0)
            throw new SlipwayException(ExitCode.NotThere, new Fault("trigger-not-executable", $"the command of trigger {name} is not an executable file", file, Help: $"chmod +x {file}"));
        return real;
    }

    private static SlipwayException Unusable(string message, string help) => new(ExitCode.UnusableInput, new Fault("bad-trigger", message, Help: help));
}
