using System.Runtime.InteropServices;

namespace Slipway.Runtime.Sandbox;

/// <summary>Starts a program without address-space randomisation: setarch(8) of util-linux, which Debian always has.</summary>
internal static class FixedAddresses
{
    public const string Program = "/usr/bin/setarch";

    public static IReadOnlyList<string> Arguments { get; } = [RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "aarch64" : "x86_64", "-R", "--"];
}
