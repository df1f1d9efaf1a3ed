using System.CommandLine;
using System.Text.Json.Nodes;
using Slipway.Trust.Signing;

namespace Slipway.Cli.Verbs;

/// <summary><c>slipway keys new|show</c>.</summary>
internal static class KeysVerb
{
    public static Command Build(GlobalOptions global)
    {
        var name = new Argument<string>("name") { Description = "Name of the key, or a path with a slash", DefaultValueFactory = _ => "default" };
        var plain = new Option<bool>("--no-passphrase") { Description = "Protect the key by file permissions alone" };
        var make = new Command("new", "Makes a P-256 key pair; an existing one is never overwritten.\nExample: slipway keys new") { name, plain };
        make.SetAction(parsed => New(global.Shell(parsed), parsed.GetRequiredValue(name), parsed.GetValue(plain)));

        var show = new Command("show", "Shows a key pair's public half.\nExample: slipway keys show") { name };
        show.SetAction(parsed => Show(global.Shell(parsed), parsed.GetRequiredValue(name)));
        return new Command("keys", "Makes and shows signing keys.\nExample: slipway keys new") { make, show };
    }

    private static int New(Shell shell, string name, bool plain)
    {
        var file = KeyFolder.FileOf(name);
        using var key = SigningKey.Create();
        key.Save(file, plain ? null : KeyFolder.NewPassphrase());
        return Tell(shell, file, key.PublicKey, made: true, plain);
    }

    private static int Show(Shell shell, string name)
    {
        var file = KeyFolder.FileOf(name);
        return Tell(shell, file, VerificationKey.Load(file + ".pub"), made: false, plain: false);
    }

    private static int Tell(Shell shell, string file, VerificationKey key, bool made, bool plain)
    {
        if (shell.Json)
        {
            shell.WriteJson(new JsonObject { ["key"] = new JsonObject { ["id"] = key.KeyId, ["file"] = file, ["publicFile"] = file + ".pub" } });
            return 0;
        }

        if (made)
            shell.Out.WriteLine($"made {file} (P-256, {(plain ? "protected by file permissions alone" : "encrypted with the passphrase")})");
        shell.Out.WriteLine($"key id  {key.KeyId}");
        shell.Out.WriteLine($"public  {file}.pub   (give this file to those who verify)");
        if (!made)
            shell.Out.Write(key.ToPem());
        return 0;
    }
}
