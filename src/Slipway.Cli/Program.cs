Console.WriteLine("slipway 0.1.0");
