using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Slipway.Primitives.Faults;

namespace Slipway.Cli;

/// <summary>Where a verb listens.</summary>
internal static class ListenOptions
{
    public static Option<string> Address() => new("--address")
    {
        Description = "Address to listen on; anything but loopback is open to the network",
        HelpName = "IP",
        DefaultValueFactory = _ => "127.0.0.1",
    };

    public static Option<int> Port(string name, string what, int otherwise)
    {
        var port = new Option<int>(name) { Description = $"Port{what}; 0 takes a free one", HelpName = "PORT", DefaultValueFactory = _ => otherwise };
        port.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && (!int.TryParse(result.Tokens[0].Value, out var number) || number is < 0 or > IPEndPoint.MaxPort))
                result.AddError($"{name} is {result.Tokens[0].Value}, allowed 0 to {IPEndPoint.MaxPort}");
        });
        return port;
    }

    /// <summary>Asked before anything is made that a start which fails would leave behind.</summary>
    /// <exception cref="SlipwayException">Another program has the port, or it may not be listened on (exit 3).</exception>
    public static void RequireFree(IPAddress address, int port)
    {
        if (port == 0)
            return;
        try
        {
            using var probe = new TcpListener(address, port);
            probe.Start();
        }
        catch (SocketException e)
        {
            throw new SlipwayException(ExitCode.NotThere, new Fault("port-taken", $"cannot listen on {address}, port {port}: {e.Message}", Help: "stop the program that listens there, or name another port; 0 takes a free one"), e);
        }
    }

    /// <exception cref="SlipwayException">No IP address (exit 2).</exception>
    public static IPAddress Parse(string address) => IPAddress.TryParse(address, out var listen)
        ? listen
        : throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-address", $"--address is '{address}', allowed is an IP address such as 127.0.0.1 or ::1"));
}
